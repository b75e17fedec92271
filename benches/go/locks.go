// Goroutines that want the same lock, permits, or each other's notifications.
package main

import (
	"runtime"
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

func (s shape) run(times int, w *waits) {
	var handles sync.WaitGroup
	for range s.tasks {
		handles.Go(func() {
			part := w.part()
			for at := range times {
				came := part.begin()
				if got := s.once(at, part != nil); part != nil {
					part.own = append(part.own, got.Sub(came))
				}
			}
			part.end()
		})
	}
	handles.Wait()
}

// The timed part reads no clock but at its ends; the waits are measured in a second one.
func (s shape) measure(operations int, sum func() uint64) sample {
	times := divCeil(operations, s.tasks)
	result := timedWithWaits(divCeil(times, 10), times, times*s.tasks, func(times int, w *waits) uint64 {
		s.run(times, w)
		return 0
	})
	result.checksum = sum()
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
