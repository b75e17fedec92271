// A plain-text answer over HTTP, asked for by wrk.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

func plainText(seconds int) sample {
	listener := listen()
	go func() {
		answer := func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("Hello, World!"))
		}
		check(http.Serve(listener, http.HandlerFunc(answer)))
	}()
	wrk := exec.Command("wrk", "-t1", "-c64", "--latency", fmt.Sprintf("-d%ds", seconds),
		"http://"+listener.Addr().String()+"/")
	wrk.Stderr = os.Stderr
	m := startMeter()
	output, err := wrk.Output()
	r := m.stop()
	check(err)
	said := string(output)
	if strings.Contains(said, "Non-2xx") || strings.Contains(said, "Socket errors") {
		panic(said)
	}
	requests, _, found := strings.Cut(said, " requests in ")
	if !found {
		panic(said)
	}
	count, err := strconv.ParseFloat(requests[strings.LastIndexByte(requests, ' ')+1:], 64)
	check(err)
	rate, err := strconv.ParseFloat(after(said, "Requests/sec:"), 64)
	check(err)
	micros := func(name string) float64 {
		duration, err := time.ParseDuration(after(said, name))
		check(err)
		return float64(duration.Nanoseconds()) / 1e3
	}
	cpu := float64(r.cpu.Nanoseconds()) / count
	return sample{1, []float64{1e9 / rate, micros("50%"), micros("99%"), cpu}}
}

// The word after the name that begins a line.
func after(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(strings.TrimSpace(line), name); found {
			return strings.Fields(rest)[0]
		}
	}
	panic(text)
}
