// Package scripts holds the shell scripts that run in the pods of a ChatCluster.
//
// They rely on nothing but a POSIX shell, the programs of Postgres or Redis, and the usual ones for files, so that any image
// will do. Each script is run by the name that it has here, with those that it reads in the same folder.
package scripts

import (
	_ "embed" // for the scripts
)

// Scripts by their file names.
var (
	// Postgres runs a database on a volume.
	//go:embed postgres.sh
	Postgres string

	// Redis runs a Redis that keeps nothing.
	//go:embed redis.sh
	Redis string

	// Database is read by those that work on the database.
	//go:embed database.sh
	Database string

	// Backup dumps the database into a folder.
	//go:embed backup.sh
	Backup string

	// Restore reads a dump into an empty database.
	//go:embed restore.sh
	Restore string
)
