package postgres

func runAppender() bool { return false }
