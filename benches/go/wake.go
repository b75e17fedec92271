// Tasks that wake each other, and a wake from outside.
package main

import (
	"runtime"
	"time"
)

// How a task waits for a number.
type receive func(from chan uint64) uint64

func pair(trips int, take receive, w *waits) chan uint64 {
	ping, pong := make(chan uint64, 1), make(chan uint64, 1)
	result := make(chan uint64, 1)
	go func() {
		for range trips {
			pong <- take(ping) + 1
		}
	}()
	go func() {
		value, part := uint64(1), w.part()
		for range trips {
			began := part.begin()
			ping <- value
			value = take(pong)
			part.waited(began)
		}
		part.end()
		result <- value
	}()
	return result
}

func pairs(count, trips int, take receive) sample {
	return timedWithWaits(divCeil(trips, 10), trips, count*trips, func(trips int, w *waits) uint64 {
		results := make([]chan uint64, count)
		for at := range results {
			results[at] = pair(trips, take, w)
		}
		var sum uint64
		for _, result := range results {
			sum += <-result
		}
		return sum
	})
}

func pingPong(count, trips int) sample {
	return pairs(count, trips, func(from chan uint64) uint64 { return <-from })
}

func timeoutReceive(trips int) sample {
	return pairs(1, trips, func(from chan uint64) uint64 {
		value, inTime := receiveWithin(time.Second, from)
		if !inTime {
			panic("it came in time")
		}
		return value
	})
}

// The waking goroutine holds a thread, and sleeps in the kernel.
func wakeForeign(wakes int) sample {
	const between = 400 * time.Microsecond
	warmUp := divCeil(wakes, 10)
	sent, answered := make(chan time.Duration, 1), make(chan uint64, 1)
	origin := time.Now()
	go func() {
		runtime.LockOSThread()
		for range warmUp + wakes {
			pause(between)
			sent <- time.Since(origin)
			<-answered
		}
	}()
	taken := make([]time.Duration, 0, wakes)
	m := startMeter()
	for wake := range warmUp + wakes {
		if wake == warmUp {
			m = startMeter()
		}
		at := <-sent
		woken := time.Since(origin) - at
		if wake >= warmUp {
			taken = append(taken, woken)
		}
		answered <- 1
	}
	return latencies(uint64(len(taken)), taken, m.stop())
}
