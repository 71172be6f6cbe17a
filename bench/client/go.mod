module canary/bench/client

go 1.23
