// Tasks that wait for what does not come: their memory, and what the runtime does meanwhile.
package main

import (
	"runtime"
	"time"
)

// Waits for the event, having said that it has come.
func wait(event chan struct{}, everyone *countdown) {
	everyone.finish()
	<-event
}

// The same with 240 bytes that are kept while it waits.
func waitWithPayload(event chan struct{}, everyone *countdown) {
	var payload [240]byte
	for at := range payload {
		payload[at] = 1
	}
	everyone.finish()
	<-event
	runtime.KeepAlive(&payload)
}

type waiting func(event chan struct{}, everyone *countdown)

func park(tasks int, wait waiting) {
	event, everyone := make(chan struct{}), countdownOf(tasks)
	for range tasks {
		go wait(event, everyone)
	}
	<-everyone.end
}

func parkedMemory(tasks int, wait waiting) sample {
	park(1000, wait)
	before := resident()
	m := startMeter()
	park(tasks, wait)
	r := m.stop()
	bytes := float64(resident() - before)
	each := func(total float64) float64 { return total / float64(tasks) }
	return sample{uint64(tasks), []float64{each(bytes), each(float64(r.cpu.Nanoseconds()))}}
}

// Each waits for a message of a channel of its own, with one place.
func parkedChannel(tasks int) sample {
	park := func(channels []chan uint64) {
		everyone := countdownOf(len(channels))
		for at := range channels {
			own := make(chan uint64, 1)
			channels[at] = own
			go func() {
				everyone.finish()
				<-own
			}()
		}
		<-everyone.end
		time.Sleep(50 * time.Millisecond)
	}
	first := make([]chan uint64, 1000)
	park(first)
	channels := make([]chan uint64, tasks)
	before := resident()
	m := startMeter()
	park(channels)
	r := m.stop()
	bytes := float64(resident() - before)
	runtime.KeepAlive(first)
	runtime.KeepAlive(channels)
	each := func(total float64) float64 { return total / float64(tasks) }
	return sample{uint64(tasks), []float64{each(bytes), each(float64(r.cpu.Nanoseconds()))}}
}

// Channels with nothing in them and nobody at them.
func channelBytes(count int) sample {
	var kept [][]chan uint64
	bytes := func(capacity int) float64 {
		all := make([]chan uint64, count)
		for at := range all {
			all[at] = nil
		}
		before := resident()
		for at := range all {
			all[at] = make(chan uint64, capacity)
		}
		grown := float64(resident()-before) / float64(count)
		kept = append(kept, all)
		return grown
	}
	result := sample{uint64(count), []float64{bytes(1), bytes(128), bytes(1)}}
	runtime.KeepAlive(kept)
	return result
}

func idle(millis int) sample {
	const tasks, settle = 10_000, 200 * time.Millisecond
	park(tasks, wait)
	runtime.LockOSThread()
	span := time.Duration(millis) * time.Millisecond
	pause(settle)
	before := activityOfOthers()
	pause(span)
	after := activityOfOthers()
	perSecond := func(count float64) float64 { return count / span.Seconds() }
	switches := float64(after.switches - before.switches)
	micros := float64((after.cpu - before.cpu).Nanoseconds()) / 1e3
	return sample{tasks, []float64{perSecond(switches), perSecond(micros)}}
}
