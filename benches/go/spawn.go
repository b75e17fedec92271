// Tasks that do nothing but exist: joined, detached, in a chain, from outside; and trees of them.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Tasks in a batch, links in a chain.
const batch = 1000

// Runs the warm-up, then the timed section.
func timed(warmUp, size int, run func(int) uint64) (uint64, reading) {
	run(warmUp)
	m := startMeter()
	sum := run(size)
	return sum, m.stop()
}

func divCeil(a, b int) int { return (a + b - 1) / b }

// Counts tasks that are to finish; the last one sends.
type countdown struct {
	left atomic.Int64
	end  chan uint64
}

func countdownOf(count int) *countdown {
	c := &countdown{end: make(chan uint64, 1)}
	c.left.Store(int64(count))
	return c
}

func (c *countdown) finish() {
	if c.left.Add(-1) == 0 {
		c.end <- 1
	}
}

func spawnJoin(batches int) sample {
	results := make([]uint64, batch)
	sum, r := timed(divCeil(batches, 5), batches, func(batches int) uint64 {
		var sum uint64
		for b := range batches {
			var handles sync.WaitGroup
			for task := range batch {
				handles.Go(func() { results[task] = uint64(b ^ task) })
			}
			handles.Wait()
			for _, result := range results {
				sum += result
			}
		}
		return sum
	})
	result := perOperation(sum, batches*batch, r)
	result.values = append(result.values, p99(spawnWaits(divCeil(batches, 4))))
	return result
}

// How long each waited for its turn.
func spawnWaits(batches int) []time.Duration {
	waited := make([]time.Duration, batches*batch)
	for b := range batches {
		var handles sync.WaitGroup
		for task := range batch {
			born := time.Now()
			handles.Go(func() { waited[b*batch+task] = time.Since(born) })
		}
		handles.Wait()
	}
	return waited
}

func spawnDetached(batches int) sample {
	sum, r := timed(divCeil(batches, 5), batches, func(batches int) uint64 {
		finished := 0
		for range batches {
			c := countdownOf(batch)
			for range batch {
				go c.finish()
			}
			<-c.end
			finished += batch
		}
		return uint64(finished)
	})
	return perOperation(sum, batches*batch, r)
}

func link(at int, end chan uint64) {
	if at == batch {
		end <- uint64(at)
		return
	}
	go link(at+1, end)
}

func chainedSpawn(chains int) sample {
	sum, r := timed(divCeil(chains, 5), chains, func(chains int) uint64 {
		end := make(chan uint64, 1)
		var sum uint64
		for range chains {
			go link(1, end)
			sum += <-end
		}
		return sum
	})
	return perOperation(sum, chains*batch, r)
}

// Two goroutines spawn: Go has no threads that are not its own.
func spawnForeign(tasks int) sample {
	const threads = 2
	each := tasks / threads
	sum, r := timed(divCeil(each, 5), each, func(tasks int) uint64 {
		c := countdownOf(threads * tasks)
		var sum atomic.Uint64
		for range threads {
			go func() {
				for task := range tasks {
					go func() {
						sum.Add(uint64(task))
						c.finish()
					}()
				}
			}()
		}
		<-c.end
		return sum.Load()
	})
	return perOperation(sum, each*threads, r)
}

func forkJoin(n int) sample {
	fib(n - 4)
	m := startMeter()
	sum := fib(n)
	return perOperation(sum, treeTasks(n), m.stop())
}

func fib(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	left, right := make(chan uint64, 1), make(chan uint64, 1)
	go func() { left <- fib(n - 1) }()
	go func() { right <- fib(n - 2) }()
	return <-left + <-right
}

// How many tasks that takes.
func treeTasks(n int) int {
	this, next := 0, 0
	for range n - 1 {
		this, next = next, this+next+2
	}
	return next
}

const children = 10

func skynet(depth int) sample {
	leaves := 1
	for range depth {
		leaves *= children
	}
	sum, r := timed(leaves/children, leaves, func(leaves int) uint64 {
		answer := make(chan uint64, 1)
		go node(1, leaves, answer)
		return <-answer
	})
	return perOperation(sum, leaves, r)
}

func node(first, leaves int, parent chan uint64) {
	if leaves == 1 {
		parent <- uint64(first)
		return
	}
	each, inbox := leaves/children, make(chan uint64, 1)
	for at := range children {
		go node(first+at*each, each, inbox)
	}
	var total uint64
	for range children {
		total += <-inbox
	}
	parent <- total
}

func yields(times int) sample {
	const tasks = 1000
	return timedWithWaits(divCeil(times, 10), times, tasks*times, func(times int, w *waits) uint64 {
		var yielded [tasks]uint64
		var handles sync.WaitGroup
		for task := range tasks {
			handles.Go(func() {
				part := w.part()
				for range times {
					began := part.begin()
					runtime.Gosched()
					part.waited(began)
					yielded[task]++
				}
				part.end()
			})
		}
		handles.Wait()
		var sum uint64
		for _, count := range yielded {
			sum += count
		}
		return sum
	})
}
