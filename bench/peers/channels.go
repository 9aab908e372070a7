// SPDX-License-Identifier: Apache-2.0

// A chain of Go channels, a goroutine a stage: an item a message, or as many as
// BATCH says.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	stages   = 3
	buffered = 1024 // messages in a channel of items
	slices   = 64   // messages in a channel of slices
)

type work struct {
	items, batch, workers int64
	spins                 [stages]int64
}

var burnt uint64

func step(n, spins int64) int64 {
	x := uint64(n)
	for i := int64(0); i < spins; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	if x == 1 && spins > 0 { // never, but the compiler must believe that x is used
		atomic.AddUint64(&burnt, 1)
	}
	return n + 1
}

func runItems(w work) (items int64, sum uint64) {
	source := make(chan int64, buffered)
	go func() {
		for n := int64(0); n < w.items; n++ {
			source <- n
		}
		close(source)
	}()
	last := source
	for _, spins := range w.spins {
		from, to := last, make(chan int64, buffered)
		go func(spins int64) {
			for n := range from {
				to <- step(n, spins)
			}
			close(to)
		}(spins)
		last = to
	}
	for n := range last {
		items++
		sum += uint64(n)
	}
	return items, sum
}

func runBatches(w work) (items int64, sum uint64) {
	source := make(chan []int64, slices)
	// Used slices go back to the source: no garbage.
	used := make(chan []int64, (stages+2)*slices)
	go func() {
		for n := int64(0); n < w.items; {
			var batch []int64
			select {
			case batch = <-used:
				batch = batch[:0]
			default:
				batch = make([]int64, 0, w.batch)
			}
			for ; int64(len(batch)) < w.batch && n < w.items; n++ {
				batch = append(batch, n)
			}
			source <- batch
		}
		close(source)
	}()
	last := source
	for _, spins := range w.spins {
		from, to := last, make(chan []int64, slices)
		go func(spins int64) {
			for batch := range from {
				if spins == 0 {
					for i := range batch {
						batch[i]++
					}
				} else {
					for i, n := range batch {
						batch[i] = step(n, spins)
					}
				}
				to <- batch
			}
			close(to)
		}(spins)
		last = to
	}
	for batch := range last {
		for _, n := range batch {
			sum += uint64(n)
		}
		items += int64(len(batch))
		select {
		case used <- batch:
		default:
		}
	}
	return items, sum
}

// number ends the program when the text is not one.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return n
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: channels ITEMS BATCH SPINS,SPINS,SPINS WORKERS")
		os.Exit(2)
	}
	w := work{items: number(os.Args[1]), batch: number(os.Args[2]), workers: number(os.Args[4])}
	for i, text := range strings.SplitN(os.Args[3], ",", stages) {
		w.spins[i] = number(text)
	}
	runtime.GOMAXPROCS(int(w.workers))

	start := time.Now()
	run := runItems
	if w.batch > 1 {
		run = runBatches
	}
	items, sum := run(w)
	wall := time.Since(start)

	n := uint64(w.items)
	if expected := n*(n-1)/2 + stages*n; items != w.items || sum != expected {
		fmt.Fprintf(os.Stderr, "wrong result: %d items, sum %d; expected %d, %d\n",
			items, sum, w.items, expected)
		os.Exit(1)
	}
	fmt.Printf("{\"items\": %d, \"sum\": %d, \"wall\": %.9f}\n", items, sum, wall.Seconds())
}
