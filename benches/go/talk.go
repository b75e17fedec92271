package main

// As ../src/workload/talk.rs: what goroutines say to each other in more than one channel.

func fourOf(messages int) sample {
	sum, r := timed(divCeil(messages, 10), messages, func(messages int) uint64 {
		var from [4]chan uint64
		for i := range from {
			from[i] = make(chan uint64, 16)
			go func() {
				for message := range messages {
					from[i] <- uint64(message)
				}
			}()
		}
		var sum uint64
		for range messages * 4 {
			select {
			case message := <-from[0]:
				sum += message
			case message := <-from[1]:
				sum += message
			case message := <-from[2]:
				sum += message
			case message := <-from[3]:
				sum += message
			}
		}
		return sum
	})
	return perOperation(sum, messages*4, r)
}

func receiveFifty(messages int) sample {
	sum, r := timed(divCeil(messages, 10), messages, func(messages int) uint64 {
		var to [50]chan uint64
		sums := make(chan uint64, 50)
		for i := range to {
			to[i] = make(chan uint64, 16)
			go func() { sums <- sumOf(to[i]) }()
		}
		go func() {
			for message := range messages {
				for _, channel := range to {
					channel <- uint64(message)
				}
			}
			for _, channel := range to {
				close(channel)
			}
		}()
		var sum uint64
		for range to {
			sum += <-sums
		}
		return sum
	})
	return perOperation(sum, messages*50, r)
}

func sumOf(from chan uint64) uint64 {
	var sum uint64
	for message := range from {
		sum += message
	}
	return sum
}

type question struct {
	value uint64
	reply chan uint64
}

func request(pairs, trips int) sample {
	return timedWithWaits(divCeil(trips, 10), trips, trips*pairs, func(trips int, w *waits) uint64 {
		sums := make(chan uint64, pairs)
		for range pairs {
			questions := make(chan question, 16)
			go func() {
				for question := range questions {
					question.reply <- question.value + 1
				}
			}()
			go func() {
				var value uint64
				part := w.part()
				for range trips {
					began := part.begin()
					reply := make(chan uint64, 1)
					questions <- question{value, reply}
					value = <-reply
					part.waited(began)
				}
				part.end()
				close(questions)
				sums <- value
			}()
		}
		var sum uint64
		for range pairs {
			sum += <-sums
		}
		return sum
	})
}

func sieve(limit int) sample {
	sum, r := timed(divCeil(limit, 10), limit, func(limit int) uint64 {
		from := make(chan uint64, 16)
		go func() {
			for number := 2; number < limit; number++ {
				from <- uint64(number)
			}
			close(from)
		}()
		return <-from + filtered(from, 2)
	})
	return perOperation(sum, 1_000_000, r)
}

// The primes that are left in a channel whose first one was taken.
func filtered(from chan uint64, prime uint64) uint64 {
	var sum uint64
	for {
		to := make(chan uint64, 16)
		go func(from chan uint64, prime uint64) {
			for number := range from {
				if number%prime != 0 {
					to <- number
				}
			}
			close(to)
		}(from, prime)
		next, open := <-to
		if !open {
			return sum
		}
		sum += next
		from, prime = to, next
	}
}

func pipeline(own bool, messages int) sample {
	sum, r := timed(divCeil(messages, 10), messages, func(messages int) uint64 {
		var to [8]chan uint64
		out := make(chan uint64, 100)
		working := countdownOf(8)
		for worker := range to {
			to[worker] = to[0]
			if own || worker == 0 {
				to[worker] = make(chan uint64, 100)
			}
			input := to[worker]
			go func() {
				for message := range input {
					out <- message*2 + 1
				}
				working.finish()
			}()
		}
		go func() {
			for message := range messages {
				to[message%8] <- uint64(message)
			}
			if !own {
				close(to[0])
				return
			}
			for _, channel := range to {
				close(channel)
			}
		}()
		go func() {
			<-working.end
			close(out)
		}()
		return sumOf(out)
	})
	return perOperation(sum, messages, r)
}
