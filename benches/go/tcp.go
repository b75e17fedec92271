// Loopback TCP.
package main

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const message = 64

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return listener
}

func acceptOne(listener net.Listener) net.Conn {
	stream, err := listener.Accept()
	check(err)
	return stream
}

func connect(to net.Addr) net.Conn {
	stream, err := net.Dial("tcp", to.String())
	check(err)
	return stream
}

func echo(connections, requests int) sample {
	listener := listen()
	go func() {
		for range connections {
			go serve(acceptOne(listener))
		}
	}()
	var streams []net.Conn
	for range connections {
		streams = append(streams, connect(listener.Addr()))
	}
	runClients(streams, divCeil(requests, 10))
	m := startMeter()
	sum, taken := runClients(streams, requests)
	result := perOperation(sum, connections*requests, m.stop())
	wall, cpu := result.values[0], result.values[1]
	result.values = append(append([]float64{wall}, percentiles(taken)...), cpu)
	return result
}

type answers struct {
	sum   uint64
	taken []time.Duration
}

func runClients(streams []net.Conn, requests int) (uint64, []time.Duration) {
	results := make(chan answers, len(streams))
	for at, stream := range streams {
		go func() { results <- ask(stream, at, requests) }()
	}
	var all answers
	for range streams {
		part := <-results
		all.sum += part.sum
		all.taken = append(all.taken, part.taken...)
	}
	return all.sum, all.taken
}

func ask(stream net.Conn, client, requests int) answers {
	result := answers{taken: make([]time.Duration, 0, requests)}
	var buffer [message]byte
	for request := range requests {
		for at := range buffer {
			buffer[at] = byte(client ^ request)
		}
		start := time.Now()
		_, err := stream.Write(buffer[:])
		check(err)
		clear(buffer[:])
		_, err = io.ReadFull(stream, buffer[:])
		check(err)
		result.taken = append(result.taken, time.Since(start))
		for _, b := range buffer {
			result.sum += uint64(b)
		}
	}
	return result
}

func serve(stream net.Conn) {
	var buffer [message]byte
	for {
		count, err := stream.Read(buffer[:])
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		_, err = stream.Write(buffer[:count])
		check(err)
	}
}

func accept(connections int) sample {
	const clients = 64
	each := divCeil(connections, clients)
	sum, r := timed(divCeil(each, 10), each, func(each int) uint64 {
		listener := listen()
		defer listener.Close()
		go func() {
			for range each * clients {
				acceptOne(listener).Close()
			}
		}()
		results := make(chan uint64, clients)
		for range clients {
			go func() {
				var ended uint64
				var buffer [1]byte
				for range each {
					stream := connect(listener.Addr())
					if _, err := stream.Read(buffer[:]); errors.Is(err, io.EOF) {
						ended++
					}
					stream.Close()
				}
				results <- ended
			}()
		}
		var sum uint64
		for range clients {
			sum += <-results
		}
		return sum
	})
	return perOperation(sum, each*clients, r)
}

// The clients are those of the calling program, in a process of their own; the environment says
// where that program is.
func idleConnections(connections int) sample {
	const warmUp, spare = 100, 200
	var limit syscall.Rlimit
	check(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur = limit.Max
	check(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	if limit.Max < uint64(connections)+spare {
		connections = int(limit.Max - min(limit.Max, spare))
	}
	listener := listen()
	clients := exec.Command(
		os.Getenv("GORO_BENCH_CLIENTS"), "connect", listener.Addr().String(),
		strconv.Itoa(warmUp+connections))
	clients.Stderr = os.Stderr
	input, err := clients.StdinPipe()
	check(err)
	check(clients.Start())
	serveIdle(listener, warmUp)
	before := resident()
	m := startMeter()
	greeted := serveIdle(listener, connections)
	r := m.stop()
	bytes := float64(resident() - before)
	check(input.Close())
	check(clients.Wait())
	each := func(total float64) float64 { return total / float64(connections) }
	return sample{greeted, []float64{each(bytes), each(float64(r.cpu.Nanoseconds()))}}
}

// Accepts so many and waits until each of them is read from.
func serveIdle(listener net.Listener, connections int) uint64 {
	everyone := countdownOf(connections)
	var accepted uint64
	for range connections {
		stream := acceptOne(listener)
		go func() {
			_, err := stream.Write([]byte{1})
			check(err)
			everyone.finish()
			var buffer [message]byte
			_, _ = stream.Read(buffer[:])
		}()
		accepted++
	}
	<-everyone.end
	time.Sleep(100 * time.Millisecond)
	return accepted
}
