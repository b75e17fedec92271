// Long computations, and how late everybody else is meanwhile.
package main

import (
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	sleepers = 100
	nap      = time.Millisecond
)

func computes() {
	start := time.Now()
	for time.Since(start) < 50*time.Millisecond {
	}
}

// Sleeps in the kernel, as a call that blocks does.
func sleeps() {
	pause(100 * time.Millisecond)
}

func stall(hogs int, goOn func(), millis int) sample {
	end := time.Now().Add(time.Duration(millis) * time.Millisecond)
	listener := listen()
	go func() { serve(acceptOne(listener)) }()
	stream := connect(listener.Addr())
	var echoes []time.Duration
	var others, hogging sync.WaitGroup
	others.Go(func() {
		var buffer [message]byte
		for time.Now().Before(end) {
			time.Sleep(nap)
			start := time.Now()
			_, err := stream.Write(buffer[:])
			check(err)
			_, err = io.ReadFull(stream, buffer[:])
			check(err)
			echoes = append(echoes, time.Since(start))
		}
	})
	late := make([][]time.Duration, sleepers)
	for sleeper := range sleepers {
		others.Go(func() {
			for time.Now().Before(end) {
				start := time.Now()
				time.Sleep(nap)
				late[sleeper] = append(late[sleeper], max(time.Since(start)-nap, 0))
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	var over atomic.Bool
	for range hogs {
		hogging.Go(func() {
			for !over.Load() {
				goOn()
				runtime.Gosched()
			}
		})
	}
	others.Wait()
	over.Store(true)
	hogging.Wait()
	var values []float64
	for _, taken := range [][]time.Duration{slices.Concat(late...), echoes} {
		values = append(values, p99(taken), float64(slices.Max(taken).Nanoseconds())/1e3)
	}
	return sample{uint64(sleepers + hogs), values}
}

// How late a goroutine runs that was woken by one which then blocks for 20 ms.
func woken(rounds int) sample {
	var late []time.Duration
	for range rounds {
		call, answer := make(chan time.Time, 1), make(chan time.Duration, 1)
		go func() {
			woken := <-call
			answer <- time.Since(woken)
		}()
		time.Sleep(nap)
		var blocker sync.WaitGroup
		blocker.Go(func() {
			call <- time.Now()
			pause(20 * time.Millisecond)
		})
		late = append(late, <-answer)
		blocker.Wait()
	}
	values := []float64{p99(late), float64(slices.Max(late).Nanoseconds()) / 1e3}
	return sample{uint64(rounds), values}
}
