package main

import (
	"fmt"
	"sync"
)

// As ../src/workload/channels.rs: messages through one channel, by what the workload's name says.
func channels(name string) func(int) sample {
	var senders, receivers, capacity, bytes int
	if n, _ := fmt.Sscanf(name, "channel_%d_%d_cap%d_%db", &senders, &receivers, &capacity, &bytes); n != 4 {
		return nil
	}
	if bytes == 8 {
		return func(messages int) sample { return streams[[1]uint64](senders, receivers, capacity, messages) }
	}
	return func(messages int) sample { return streams[[8]uint64](senders, receivers, capacity, messages) }
}

type payload interface{ [1]uint64 | [8]uint64 }

func streams[M payload](senders, receivers, capacity, messages int) sample {
	return timedWithWaits(divCeil(messages, 10), messages, messages, func(messages int, w *waits) uint64 {
		return stream[M](senders, receivers, capacity, messages, w)
	})
}

func stream[M payload](senders, receivers, capacity, messages int, w *waits) uint64 {
	channel := make(chan M, capacity)
	sums := make(chan uint64, receivers)
	for range receivers {
		go func() {
			var sum uint64
			for message := range channel {
				sum += message[0]
			}
			sums <- sum
		}()
	}
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Add(1)
		go func() {
			defer sending.Done()
			part := w.part()
			defer part.end()
			for number := sender; number < messages; number += senders {
				var message M
				for i := range len(message) {
					message[i] = uint64(number)
				}
				began := part.begin()
				channel <- message
				part.waited(began)
			}
		}()
	}
	sending.Wait()
	close(channel)
	var sum uint64
	for range receivers {
		sum += <-sums
	}
	return sum
}
