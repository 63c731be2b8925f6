// The same jobs in Go's standard library, to measure against: peer PORT FOLDER
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

var mutex sync.Mutex
var number int
var subscribers = map[chan string]bool{}

func lines(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.URL.Query().Get("count"))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out := bufio.NewWriter(w)
	for i := 1; i <= count; i++ {
		fmt.Fprintf(out, "step %d: %d x 2 = %d\n", i, i, i*2)
	}
	out.Flush()
}

func publish(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mutex.Lock()
	number++
	event := fmt.Sprintf("id: %d\ndata: %s\n\n", number, body)
	for subscriber := range subscribers {
		subscriber <- event
	}
	mutex.Unlock()
	w.WriteHeader(201)
	fmt.Fprintf(w, "{\"id\":%d}\n", number)
}

func subscribe(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 4096)
	mutex.Lock()
	subscribers[events] = true
	mutex.Unlock()
	defer func() {
		mutex.Lock()
		delete(subscribers, events)
		mutex.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, ": hello\n\n")
	w.(http.Flusher).Flush()
	for {
		select {
		case event := <-events:
			io.WriteString(w, event)
			// What waits already goes out in the same flush.
			for waiting := len(events); waiting > 0; waiting-- {
				io.WriteString(w, <-events)
			}
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func main() {
	http.HandleFunc("/lines", lines)
	http.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			publish(w, r)
		} else {
			subscribe(w, r)
		}
	})
	http.Handle("/", http.FileServer(http.Dir(os.Args[2])))
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
