// The load client: simulated Envoys, told what to do in lines of JSON, answering each with one. Called with
// `canned` it is their counterpart, which shows what they can take (canned.go).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

type command struct {
	Do         string  `json:"do"`
	Address    string  `json:"address"`
	Gateway    string  `json:"gateway"`
	Dialect    string  `json:"dialect"`
	Count      int     `json:"count"`
	NodeSize   int     `json:"node_size"`
	Patience   float64 `json:"patience"` // seconds
	Retry      bool    `json:"retry"`    // the server may not be there yet
	Path       string  `json:"path"`
	Deployment int32   `json:"deployment"`
	Value      int32   `json:"value"`
	Endpoints  bool    `json:"endpoints"`
	Without    int     `json:"without"`
	On         bool    `json:"on"`
	Starts     []int64 `json:"starts"`
	Slices     int     `json:"slices"`
	Narrow     bool    `json:"narrow"`
	Abreast    int     `json:"abreast"`
	Listen     string  `json:"listen"` // of the canned sender
}

type answer map[string]any

func main() {
	debug.SetGCPercent(400)
	limit := syscall.Rlimit{}
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	limit.Cur = limit.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	if len(os.Args) > 1 && os.Args[1] == "canned" {
		serveCanned(lines, out)
		return
	}
	var running *fleet
	for lines.Scan() {
		var asked command
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			out.Encode(answer{"error": err.Error()})
			continue
		}
		if asked.Do == "connect" {
			if asked.Count > int(limit.Max)-64 {
				out.Encode(answer{"error": fmt.Sprintf("%d files may be open", limit.Max)})
				continue
			}
			running = newFleet(asked.Count, asked.Address, asked.Gateway, asked.Dialect == "delta", asked.NodeSize)
			running.narrowLast, running.abreast = asked.Narrow, asked.Abreast
		}
		out.Encode(obey(running, asked))
	}
	if running != nil {
		running.disconnect()
	}
}

func obey(f *fleet, asked command) answer {
	patience := time.Duration(asked.Patience * float64(time.Second))
	readied := func(e *envoy) int64 { return e.readied.Load() }
	met := func(e *envoy) int64 { return e.met.Load() }
	begun := time.Now().UnixNano()
	switch asked.Do {
	case "connect":
		if err := f.recorder.to(asked.Path); err != nil {
			return answer{"error": err.Error()}
		}
		retry := time.Duration(0)
		if asked.Retry {
			retry = patience
		}
		f.connect(retry)
		ready := f.wait(readied, 0, patience)
		answered := f.wait(func(e *envoy) int64 { return e.answered.Load() }, 0, 0)
		return f.report(begun, ready, answer{"answered": quantiles(answered)})
	case "reconnect": // with what each holds; nothing need come
		f.disconnect()
		f.forget()
		begun = time.Now().UnixNano()
		f.connect(0)
		return f.report(begun, nil, nil)
	case "arm":
		f.forget()
		f.goal.Store(&goal{asked.Deployment, asked.Value, asked.Endpoints})
		return f.report(begun, nil, nil)
	case "wait":
		return f.report(begun, f.wait(met, asked.Without, patience), nil)
	case "record":
		if err := f.recorder.to(asked.Path); err != nil {
			return answer{"error": err.Error()}
		}
	case "stick":
		f.envoys[asked.Deployment].stick(asked.On)
	case "follow": // Deployment: how many take turns; Value: what the first is set to
		f.following.Store(false)
		f.first, f.inRoutes = mark{asked.Deployment, asked.Value}, !asked.Endpoints
		for _, e := range f.envoys {
			e.arrivals = nil
		}
		f.following.Store(true)
	case "lags":
		f.following.Store(false)
		lags, missed := f.lags(asked.Starts, asked.Slices)
		spreads := []spread{}
		for _, each := range lags {
			spreads = append(spreads, quantiles(each))
		}
		pushes := 0
		for _, e := range f.envoys {
			pushes += len(e.arrivals)
		}
		return f.report(begun, nil, answer{"lags": spreads, "missed": missed, "pushes": pushes})
	case "disconnect":
		f.disconnect()
	case "report":
		f.quiet()
	default:
		return answer{"error": "unknown command " + asked.Do}
	}
	return f.report(begun, nil, nil)
}

// report is every answer: totals so far, and the times asked for (ns of the wall clock).
func (f *fleet) report(begun int64, times []int64, more answer) answer {
	settled := len(times) > 0 && f.quiet() // looking takes a while, so only where something was waited for
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	sums := map[string]int64{}
	states := map[uint64]int{}
	for _, e := range f.envoys {
		sums["bytes_in"] += e.bytesIn.Load()
		sums["bytes_out"] += e.bytesOut.Load()
		sums["messages"] += e.messages.Load()
	}
	if settled {
		for _, e := range f.envoys {
			states[e.holds.Load().hash()]++
		}
	}
	f.mutex.Lock()
	failures := slices.Clone(f.failures)
	f.failures = nil
	f.mutex.Unlock()
	said := answer{
		"begun": begun, "ended": time.Now().UnixNano(), "times": quantiles(times), "failures": len(failures),
		"failed": failures[:min(3, len(failures))], "totals": sums, "states": len(states),
		"cpu": float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9,
	}
	if held := f.envoys[0].holds.Load(); settled {
		said["held"] = map[string]int{
			"clusters": len(held.types[clusters].items), "endpoints": len(held.types[endpoints].items),
			"scopes": len(held.types[scopes].items), "routes": len(held.types[routes].items),
		}
	}
	for key, value := range more {
		said[key] = value
	}
	return said
}

// quiet tells whether no Envoy has heard anything for a while; what they hold may be read then.
func (f *fleet) quiet() bool {
	select {
	case <-f.news:
	default:
	}
	select {
	case <-f.news:
		return false
	case <-time.After(20 * time.Millisecond):
		return true
	}
}

type spread struct {
	Count  int   `json:"count"`
	First  int64 `json:"first"`
	Median int64 `json:"median"`
	P99    int64 `json:"p99"`
	Last   int64 `json:"last"`
}

func quantiles(sorted []int64) spread {
	n := len(sorted)
	if n == 0 {
		return spread{}
	}
	return spread{n, sorted[0], sorted[n/2], sorted[min(n-1, n*99/100)], sorted[n-1]}
}
