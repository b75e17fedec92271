//! Runs each example as a program of its own, from the outside.

mod http;
mod load;
mod program;

mod ending_well;
mod serve_clients;
mod serve_command_line;
mod serve_drive;
mod serve_end;
mod serve_garbage;
mod serve_http2;
mod serve_routes;
mod small_programs;
