//! The signature of what a macro wrote, put together from rustdoc's description.
//!
//! Left out: bounds. They show in `auto` lines and in the implementations beside.

use serde_json::Value;

use crate::krate::{Item, ids, strings};

/// `fn name<T>(self: &Self, value: T) -> u8`, `struct Name<'a, T>`.
pub(crate) fn signature(item: Item<'_>) -> String {
    let inner = item.inner();
    let generics = generics(&inner["generics"]);
    match item.kind() {
        "function" => {
            let inputs = inner["sig"]["inputs"].as_array().into_iter().flatten();
            let inputs: Vec<String> = inputs
                .map(|input| format!("{}: {}", input[0].as_str().unwrap_or("_"), shape(&input[1])))
                .collect();
            let output = match &inner["sig"]["output"] {
                Value::Null => String::new(),
                output => format!(" -> {}", shape(output)),
            };
            let inputs = inputs.join(", ");
            let inputs = inputs.replace("self: &Self", "&self").replace("self: Self", "self");
            format!("pub fn {}{generics}({inputs}){output}", item.name())
        }
        "assoc_type" => format!("type {} = {}", item.name(), shape(&inner["type"])),
        "struct_field" => format!("pub {}: {}", item.name(), shape(inner)),
        "variant" => match fields(item) {
            fields if fields.is_empty() => item.name().to_owned(),
            fields => format!("{}({})", item.name(), fields.join(", ")),
        },
        kind => format!("pub {kind} {}{generics}", item.name()),
    }
}

/// What a variant holds.
fn fields(variant: Item<'_>) -> Vec<String> {
    let fields = ids(&variant.inner()["kind"]["tuple"]).filter_map(|id| variant.krate.item(id));
    fields.map(|field| shape(field.inner())).collect()
}

fn generics(generics: &Value) -> String {
    let params = generics["params"].as_array().into_iter().flatten();
    let names: Vec<&str> = params.filter_map(|param| param["name"].as_str()).collect();
    if names.is_empty() { String::new() } else { format!("<{}>", names.join(", ")) }
}

/// A type as it is written.
fn shape(json: &Value) -> String {
    let Some((kind, of)) = json.as_object().and_then(|it| it.iter().next()) else {
        return json.as_str().unwrap_or("_").to_owned();
    };
    let lifetime =
        |of: &Value| of["lifetime"].as_str().map_or(String::new(), |it| format!("{it} "));
    match kind.as_str() {
        "generic" | "primitive" => of.as_str().unwrap_or_default().to_owned(),
        "resolved_path" => path(of),
        "borrowed_ref" => {
            let mutable = if of["is_mutable"] == true { "mut " } else { "" };
            format!("&{}{mutable}{}", lifetime(of), shape(&of["type"]))
        }
        "tuple" => format!("({})", list(of, shape)),
        "slice" => format!("[{}]", shape(of)),
        "array" => format!("[{}; {}]", shape(&of["type"]), of["len"].as_str().unwrap_or("_")),
        "impl_trait" => format!("impl {}", list(of, bound).replace(", ", " + ")),
        "dyn_trait" => {
            format!("dyn {}", list(&of["traits"], |it| path(&it["trait"])).replace(", ", " + "))
        }
        "qualified_path" => {
            format!("{}::{}", shape(&of["self_type"]), of["name"].as_str().unwrap_or("_"))
        }
        other => other.to_owned(),
    }
}

fn list(of: &Value, each: impl Fn(&Value) -> String) -> String {
    of.as_array().into_iter().flatten().map(each).collect::<Vec<_>>().join(", ")
}

fn bound(of: &Value) -> String {
    of["outlives"].as_str().map_or_else(|| path(&of["trait_bound"]["trait"]), str::to_owned)
}

fn path(of: &Value) -> String {
    let whole = of["path"].as_str().or_else(|| strings(&of["path"]).last()).unwrap_or("_");
    let name = whole.rsplit("::").next().unwrap_or_default();
    let args = &of["args"];
    let inside = list(&args["angle_bracketed"]["args"], |arg| {
        arg["lifetime"].as_str().map_or_else(|| shape(&arg["type"]), str::to_owned)
    });
    let named = list(&args["angle_bracketed"]["constraints"], |it| {
        format!(
            "{} = {}",
            it["name"].as_str().unwrap_or("_"),
            shape(&it["binding"]["equality"]["type"])
        )
    });
    let called = &args["parenthesized"];
    if called.is_object() {
        let output = &called["output"];
        let output =
            if output.is_null() { String::new() } else { format!(" -> {}", shape(output)) };
        return format!("{name}({}){output}", list(&called["inputs"], shape));
    }
    match [inside, named].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>() {
        parts if parts.is_empty() => name.to_owned(),
        parts => format!("{name}<{}>", parts.join(", ")),
    }
}
