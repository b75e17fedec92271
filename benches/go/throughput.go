// Bytes over loopback TCP, in one direction.
package main

import (
	"errors"
	"io"
)

const chunk = 64 << 10

func throughput(connections, mebibytes int) sample {
	chunks := divCeil(mebibytes<<20, chunk*connections)
	sum, r := timed(divCeil(chunks, 10), chunks, func(chunks int) uint64 {
		listener := listen()
		defer listener.Close()
		go func() {
			for range connections {
				stream := acceptOne(listener)
				go func() {
					bytes := make([]byte, chunk)
					for range chunks {
						_, err := stream.Write(bytes)
						check(err)
					}
					check(stream.Close())
				}()
			}
		}()
		received := make(chan uint64, connections)
		for range connections {
			go func() {
				stream := connect(listener.Addr())
				buffer, sum := make([]byte, chunk), uint64(0)
				for {
					count, err := stream.Read(buffer)
					sum += uint64(count)
					if errors.Is(err, io.EOF) {
						break
					}
					check(err)
				}
				received <- sum
			}()
		}
		var sum uint64
		for range connections {
			sum += <-received
		}
		return sum
	})
	return perOperation(sum, connections*chunks*(chunk>>10), r)
}
