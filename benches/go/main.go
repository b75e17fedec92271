// The Go side of goro's benchmarks: the same workloads as in ../src/workload, as a Go user writes
// them, with goroutines and channels.
//
//	goro-bench WORKLOAD SIZE
//
// prints the checksum and the metrics, as the other rivals' samples do. The sizes come from the
// table of the calling program, the number of workers from GOMAXPROCS. A one-slot mailbox is a
// channel of capacity 1, the handles of a batch are a WaitGroup, that of a single task a channel.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A sample that takes longer has hung.
const limit = 120 * time.Second

// What one run of a workload gave.
type sample struct {
	checksum uint64
	values   []float64
}

// The workloads by name; each takes its size.
var workloads = map[string]func(int) sample{
	"spawn_join":        spawnJoin,
	"spawn_many":        spawnJoin,
	"spawn_detached":    spawnDetached,
	"chained_spawn":     chainedSpawn,
	"fork_join":         forkJoin,
	"skynet":            skynet,
	"yield":             yields,
	"ping_pong_1":       func(trips int) sample { return pingPong(1, trips) },
	"ping_pong_1000":    func(trips int) sample { return pingPong(1000, trips) },
	"spawn_foreign":     spawnForeign,
	"wake_foreign":      wakeForeign,
	"timeout_ready":     timeoutReady,
	"timeout_receive":   timeoutReceive,
	"timeout_fires":     timeoutFires,
	"sleep_50us":        func(sleeps int) sample { return lateness(50*time.Microsecond, sleeps) },
	"sleep_300us":       func(sleeps int) sample { return lateness(300*time.Microsecond, sleeps) },
	"sleep_5ms":         func(sleeps int) sample { return lateness(5*time.Millisecond, sleeps) },
	"timer_storm":       timerStorm,
	"echo_1":            func(requests int) sample { return echo(1, requests) },
	"echo_64":           func(requests int) sample { return echo(64, requests) },
	"accept":            accept,
	"tcp_1":             func(mebibytes int) sample { return throughput(1, mebibytes) },
	"tcp_8":             func(mebibytes int) sample { return throughput(8, mebibytes) },
	"http":              plainText,
	"parked_channel":    parkedChannel,
	"channel_bytes":     channelBytes,
	"idle_connections":  idleConnections,
	"parked_memory":     func(tasks int) sample { return parkedMemory(tasks, wait) },
	"parked_memory_256": func(tasks int) sample { return parkedMemory(tasks, waitWithPayload) },
	"idle":              idle,
	"mutex":             mutex(false),
	"mutex_yield":       mutex(true),
	"rwlock_read":       readWrite(16, false),
	"rwlock_read_yield": readWrite(16, true),
	"rwlock_write":      readWrite(2, false),
	"rwlock_write_yield": readWrite(2, true),
	"semaphore":         semaphore,
	"notify":            notify,
	"stall_1":           func(millis int) sample { return stall(1, computes, millis) },
	"stall_2":           func(millis int) sample { return stall(2, computes, millis) },
	"stall_4":           func(millis int) sample { return stall(4, computes, millis) },
	"stall_8":           func(millis int) sample { return stall(8, computes, millis) },
	"stall_80":          func(millis int) sample { return stall(80, computes, millis) },
	"stall_asleep_1":    func(millis int) sample { return stall(1, sleeps, millis) },
	"stall_asleep_4":    func(millis int) sample { return stall(4, sleeps, millis) },
	"stall_woken":       woken,
	"request_1":         func(trips int) sample { return request(1, trips) },
	"request_1000":      func(trips int) sample { return request(1000, trips) },
	"select_4":          fourOf,
	"receive_50":        receiveFifty,
	"sieve":             sieve,
	"pipeline_own":      func(messages int) sample { return pipeline(true, messages) },
	"pipeline_shared":   func(messages int) sample { return pipeline(false, messages) },
}

func main() {
	if len(os.Args) != 3 {
		fail("goro-bench WORKLOAD SIZE")
	}
	run := workloads[os.Args[1]]
	if run == nil {
		run = channels(os.Args[1])
	}
	if run == nil {
		fail("goro-bench WORKLOAD SIZE")
	}
	size, err := strconv.Atoi(os.Args[2])
	check(err)
	// Not a timer of the runtime's: those are what some workloads measure.
	go alarm()
	result := run(size)
	words := []string{strconv.FormatUint(result.checksum, 10)}
	for _, value := range result.values {
		words = append(words, strconv.FormatFloat(value, 'g', -1, 64))
	}
	fmt.Println(strings.Join(words, " "))
}

// Panics if there is an error: no workload expects one.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
