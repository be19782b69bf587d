module github.com/gochat-dev/gochat/tools/cluster

go 1.26.0
