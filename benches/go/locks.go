// Goroutines that want the same lock, permits, or each other's notifications.
package main

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// How many goroutines there are, and what each does once; it says when it was served if asked to.
type shape struct {
	tasks int
	once  func(times int, timed bool) time.Time
}

func served(timed bool) (at time.Time) {
	if timed {
		at = time.Now()
	}
	return
}

// Gives the waits, if they are to be timed.
func (s shape) run(times int, timed bool) []time.Duration {
	var (
		handles sync.WaitGroup
		lock    sync.Mutex
		all     []time.Duration
	)
	for range s.tasks {
		handles.Go(func() {
			var own []time.Duration
			for at := range times {
				came := served(timed)
				if got := s.once(at, timed); timed {
					own = append(own, got.Sub(came))
				}
			}
			if timed {
				lock.Lock()
				all = append(all, own...)
				lock.Unlock()
			}
		})
	}
	handles.Wait()
	return all
}

// The timed part reads no clock but at its ends; the waits are measured in a second one.
func (s shape) measure(operations int, sum func() uint64) sample {
	times := divCeil(operations, s.tasks)
	s.run(divCeil(times, 10), false)
	m := startMeter()
	s.run(times, false)
	r := m.stop()
	waits := s.run(divCeil(times, 4), true)
	slices.Sort(waits)
	result := perOperation(sum(), times*s.tasks, r)
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	last := waits[len(waits)-1]
	result.values = append(result.values, percentiles(waits)[1], micros(last))
	return result
}

func mutex(yields bool) func(int) sample {
	return func(operations int) sample {
		var lock sync.Mutex
		number := uint64(0)
		return shape{8, func(_ int, timed bool) time.Time {
			lock.Lock()
			at := served(timed)
			number++
			if yields {
				runtime.Gosched()
			}
			lock.Unlock()
			return at
		}}.measure(operations, func() uint64 { return number })
	}
}

// Written once in so many times, and otherwise read.
func readWrite(writes int, yields bool) func(int) sample {
	return func(operations int) sample {
		var lock sync.RWMutex
		number := uint64(0)
		return shape{8, func(times int, timed bool) (at time.Time) {
			if times%writes == 0 {
				lock.Lock()
				at = served(timed)
				number++
				if yields {
					runtime.Gosched()
				}
				lock.Unlock()
			} else {
				lock.RLock()
				at = served(timed)
				if number == 0 {
					panic("it was written first")
				}
				if yields {
					runtime.Gosched()
				}
				lock.RUnlock()
			}
			return at
		}}.measure(operations, func() uint64 { return number })
	}
}

// The semaphore that Go's users write: a channel with as much room as there are permits.
func semaphore(operations int) sample {
	permits := make(chan struct{}, 10)
	return shape{1000, func(_ int, timed bool) time.Time {
		permits <- struct{}{}
		at := served(timed)
		runtime.Gosched()
		<-permits
		return at
	}}.measure(operations, func() uint64 { return uint64(cap(permits)) })
}

// A notification that is kept if nobody waits: a channel with room for one.
func notify(trips int) sample {
	tell := func(to chan struct{}) {
		select {
		case to <- struct{}{}:
		default:
		}
	}
	sum, r := timed(divCeil(trips, 10), trips, func(trips int) uint64 {
		ask, answer := make(chan struct{}, 1), make(chan struct{}, 1)
		answered := make(chan uint64, 1)
		go func() {
			for range trips {
				<-ask
				tell(answer)
			}
		}()
		go func() {
			count := uint64(0)
			for range trips {
				tell(ask)
				<-answer
				count++
			}
			answered <- count
		}()
		return <-answered
	})
	return perOperation(sum, trips, r)
}
