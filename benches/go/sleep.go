// Sleeps and timeouts.
package main

import (
	"sync"
	"time"
)

func lateness(length time.Duration, sleeps int) sample {
	taken := make([]time.Duration, 0, sleeps)
	var onTime uint64
	time.Sleep(length)
	m := startMeter()
	for range sleeps {
		start := time.Now()
		time.Sleep(length)
		slept := time.Since(start)
		if slept >= length {
			onTime++
		}
		taken = append(taken, max(slept-length, 0))
	}
	return latencies(onTime, taken, m.stop())
}

func timerStorm(sleepers int) sample {
	run := func(sleepers int) uint64 {
		results := make([]uint64, sleepers)
		var handles sync.WaitGroup
		for sleeper := range sleepers {
			length := time.Duration(10+sleeper*7919%991) * time.Millisecond
			handles.Go(func() {
				time.Sleep(length)
				results[sleeper] = uint64(sleeper)
			})
		}
		handles.Wait()
		var sum uint64
		for _, result := range results {
			sum += result
		}
		return sum
	}
	run(100)
	forgetPeak()
	before := resident()
	m := startMeter()
	sum := run(sleepers)
	r := m.stop()
	mebibytes := float64(peak()-before) / (1 << 20)
	millis := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	return sample{sum, []float64{millis(r.cpu), mebibytes, millis(r.wall)}}
}

// Waits for a number at most so long.
func receiveWithin(limit time.Duration, from chan uint64) (uint64, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case value := <-from:
		return value, true
	case <-timer.C:
		// A thread that was off its core may find both; then the number counts.
		select {
		case value := <-from:
			return value, true
		default:
			return 0, false
		}
	}
}

func timeoutReady(times int) sample {
	ready := make(chan uint64, 1)
	sum, r := timed(divCeil(times, 10), times, func(times int) uint64 {
		var sum uint64
		for value := range times {
			ready <- uint64(value)
			answer, inTime := receiveWithin(10*time.Millisecond, ready)
			if !inTime {
				panic("it was ready")
			}
			sum += answer
		}
		return sum
	})
	return perOperation(sum, times, r)
}

func timeoutFires(times int) sample {
	const tasks = 1000
	sum, r := timed(divCeil(times, 10), times, func(times int) uint64 {
		var fired [tasks]uint64
		var handles sync.WaitGroup
		for task := range tasks {
			handles.Go(func() {
				for range times {
					if _, inTime := receiveWithin(time.Millisecond, nil); !inTime {
						fired[task]++
					}
				}
			})
		}
		handles.Wait()
		var sum uint64
		for _, count := range fired {
			sum += count
		}
		return sum
	})
	cpu := float64(r.cpu.Nanoseconds()) / float64(sum)
	wall := float64(r.wall.Nanoseconds()) / 1e3 / float64(times)
	return sample{sum, []float64{cpu, wall}}
}
