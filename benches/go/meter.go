// What a timed section costs this process, read as ../src/meter.rs does.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// A started measurement.
type meter struct {
	wall time.Time
	cpu  time.Duration
}

// What a section took.
type reading struct {
	wall, cpu time.Duration
}

func startMeter() meter {
	return meter{time.Now(), processCPU()}
}

func (m meter) stop() reading {
	wall := time.Since(m.wall)
	return reading{wall, processCPU() - m.cpu}
}

// CPU time of all threads; the package of the standard library has no call for this clock.
func processCPU() time.Duration {
	const clockProcessCPUTime = 2
	var spent syscall.Timespec
	_, _, errno := syscall.Syscall(
		syscall.SYS_CLOCK_GETTIME, clockProcessCPUTime, uintptr(unsafe.Pointer(&spent)), 0)
	if errno != 0 {
		panic(errno)
	}
	return time.Duration(spent.Nano())
}

// Wall and CPU nanoseconds per operation.
func perOperation(checksum uint64, operations int, r reading) sample {
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(operations) }
	return sample{checksum, []float64{per(r.wall), per(r.cpu)}}
}

// What makes a latency curve, in microseconds, and CPU microseconds each.
func latencies(checksum uint64, taken []time.Duration, r reading) sample {
	cpu := float64(r.cpu.Nanoseconds()) / 1e3 / float64(len(taken))
	return sample{checksum, append(percentiles(taken), cpu)}
}

// The median, three percentiles that grow rare, and the greatest, in microseconds.
func percentiles(taken []time.Duration) []float64 {
	slices.Sort(taken)
	var values []float64
	for _, share := range []int{500, 900, 990, 999, 1000} {
		at := (len(taken)*share + 999) / 1000
		values = append(values, float64(taken[max(at, 1)-1].Nanoseconds())/1e3)
	}
	return values
}

// The 99th percentile, in microseconds.
func p99(taken []time.Duration) float64 {
	return percentiles(taken)[2]
}

// Bytes of this process in memory right now.
func resident() uint64 {
	return field("/proc/self/smaps_rollup", "Rss:")
}

// The most bytes this process had in memory since forgetPeak.
func peak() uint64 {
	return field("/proc/self/status", "VmHWM:")
}

func forgetPeak() {
	check(os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

func field(file, name string) uint64 {
	text, err := os.ReadFile(file)
	check(err)
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			kibibytes, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			check(err)
			return kibibytes * 1024
		}
	}
	panic(file + " has no " + name)
}

// What threads have done so far.
type activity struct {
	switches uint64
	cpu      time.Duration
}

// What all of this process's threads but the calling one have done.
func activityOfOthers() activity {
	threads, err := os.ReadDir("/proc/self/task")
	check(err)
	own := strconv.Itoa(syscall.Gettid())
	var sum activity
	for _, thread := range threads {
		if thread.Name() == own {
			continue
		}
		folder := "/proc/self/task/" + thread.Name()
		status, err := os.ReadFile(folder + "/status")
		check(err)
		for line := range strings.Lines(string(status)) {
			if _, count, found := strings.Cut(line, "voluntary_ctxt_switches:"); found {
				switches, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
				check(err)
				sum.switches += switches
			}
		}
		schedule, err := os.ReadFile(folder + "/schedstat")
		check(err)
		var nanos uint64
		_, err = fmt.Sscan(string(schedule), &nanos)
		check(err)
		sum.cpu += time.Duration(nanos)
	}
	return sum
}

// Ends a process that has hung. It sleeps in the kernel.
func alarm() {
	pause(limit)
	fail("the sample takes longer than " + limit.String())
}

// Sleeps in the kernel, as a thread that is none of the runtime's would.
func pause(length time.Duration) {
	left := syscall.NsecToTimespec(length.Nanoseconds())
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}
