// The franz-go suite: the clients kgo and kadm against the broker whose address it is given.
// Chooses the levels and prints the report; what is checked stands in the files of the levels.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// Arguments: bootstrap address, highest level to run. Exit code 0 when every check held.
func main() {
	level, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	fmt.Println("client franz-go", version("github.com/twmb/franz-go"))
	report := &report{}
	bench := newBench(os.Args[1])
	fmt.Println("level 1")
	usable := firstLight(report, bench)
	if usable && level >= 2 {
		fmt.Println("level 2")
		records(report, bench)
		offsets(report, bench)
		refusals(report, bench)
		topics(report, bench)
		settings(report, bench)
		groups(report, bench)
	}
	if usable && level >= 3 {
		fmt.Println("level 3")
		trimmed(report, bench)
	}
	if report.failed > 0 {
		os.Exit(1)
	}
}

// version is that of a module as it was compiled in.
func version(module string) string {
	built, _ := debug.ReadBuildInfo()
	for _, dependency := range built.Deps {
		if dependency.Path == module {
			return strings.TrimPrefix(dependency.Version, "v")
		}
	}
	return "unknown"
}
