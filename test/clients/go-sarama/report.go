// One line a check, in the form every client suite prints: "ok - sentence" or "not ok - sentence: why".
// Runs each check in a goroutine, so that one that hangs fails after its time and the rest still run.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const timeACheck = 60 * time.Second

type report struct{ failed int }

type check struct {
	sentence string
	run      func()
}

// failure is what an expectation that does not hold panics with, caught by the report.
type failure struct{ why string }

func (r *report) check(sentence string, run func()) {
	r.together(check{sentence, run})
}

// together runs checks side by side that mostly wait, such as for rebalances; the lines come in the order given.
func (r *report) together(checks ...check) {
	outcomes := make([]chan string, len(checks))
	for i, c := range checks {
		outcomes[i] = make(chan string, 1)
		go func() { outcomes[i] <- outcome(c.run) }()
	}
	late := time.After(timeACheck)
	for i, c := range checks {
		why := fmt.Sprintf("no end after %v", timeACheck)
		select {
		case why = <-outcomes[i]:
		case <-late:
			late = time.After(0)
		}
		if why == "" {
			fmt.Println("ok - " + c.sentence)
			continue
		}
		r.failed++
		fmt.Println("not ok - " + c.sentence + ": " + strings.Join(strings.Fields(why), " "))
	}
}

// outcome is empty when all expectations held.
func outcome(run func()) (why string) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case failure:
			why = thrown.why
		default:
			why = fmt.Sprint("panic: ", thrown, where())
		}
	}()
	run()
	return ""
}

// where names the line of the check that failed: the first frame that is not one of the suite's helpers.
func where() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		file := filepath.Base(frame.File)
		if strings.HasPrefix(frame.Function, "main.") && file != "report.go" && file != "bench.go" {
			return fmt.Sprintf(" (%s:%d)", file, frame.Line)
		}
		if !more {
			return ""
		}
	}
}

func fail(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...) + where()})
}

func expect(holds bool, otherwise string, args ...any) {
	if !holds {
		fail(otherwise, args...)
	}
}

func equal[T comparable](expected, found T, what string, args ...any) {
	if expected != found {
		fail("%s is %v, expected %v", fmt.Sprintf(what, args...), found, expected)
	}
}

// sameBytes tells null from empty: in a record they are two things.
func sameBytes(expected, found []byte, what string, args ...any) {
	if !bytes.Equal(expected, found) || (expected == nil) != (found == nil) {
		fail("%s is %s, expected %s", fmt.Sprintf(what, args...), describe(found), describe(expected))
	}
}

func describe(value []byte) string {
	if value == nil {
		return "null"
	}
	return fmt.Sprintf("%d bytes starting with %q", len(value), value[:min(len(value), 16)])
}

func done(err error, doing string) {
	if err != nil {
		fail("%s: %v", doing, err)
	}
}

// refused expects the one error of Kafka's that says why.
func refused(with, err error, doing string) {
	if !errors.Is(err, with) {
		fail("%s is answered with %v, expected %v", doing, err, with)
	}
}
