// How long single operations waited, and whether goroutines of equal work came to their ends together,
// as ../src/workload/waits.rs has it.
package main

import (
	"slices"
	"sync"
	"time"
)

// What goroutines of equal work tell at their ends. A nil one is told nothing.
type waits struct {
	began  time.Time
	lock   sync.Mutex
	waited []time.Duration
	ends   []time.Duration
}

// One goroutine's part.
type part struct {
	of  *waits
	own []time.Duration
}

func (w *waits) part() *part {
	if w == nil {
		return nil
	}
	return &part{of: w}
}

func (p *part) begin() (at time.Time) {
	if p != nil {
		at = time.Now()
	}
	return
}

func (p *part) waited(since time.Time) {
	if p != nil {
		p.own = append(p.own, time.Since(since))
	}
}

func (p *part) end() {
	if p == nil {
		return
	}
	end := time.Since(p.of.began)
	p.of.lock.Lock()
	p.of.waited = append(p.of.waited, p.own...)
	p.of.ends = append(p.of.ends, end)
	p.of.lock.Unlock()
}

// The waits' 99th percentile, how far the first end is from the last in hundredths of the whole, the
// longest wait.
func (w *waits) figures() []float64 {
	p := percentiles(w.waited)
	first, last := slices.Min(w.ends), slices.Max(w.ends)
	return []float64{p[2], float64(last-first) / float64(last) * 100, p[4]}
}

// Runs the warm-up, then the timed section, then a quarter of it in which the waits are told.
func timedWithWaits(warmUp, size, operations int, run func(int, *waits) uint64) sample {
	run(warmUp, nil)
	m := startMeter()
	sum := run(size, nil)
	result := perOperation(sum, operations, m.stop())
	w := &waits{began: time.Now()}
	run(divCeil(size, 4), w)
	result.values = append(result.values, w.figures()...)
	return result
}
