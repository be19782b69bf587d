// Package web carries the built single-page app inside the server binary.
package web

import (
	"embed"
	"io/fs"
)

// The folder always exists (it holds a .gitkeep), so the module builds before the app has been built.
//
//go:embed all:dist
var files embed.FS

// Dist returns the files of the built app, index.html at their root. In a binary that was built before the app there
// is no index.html: opening it gives fs.ErrNotExist, by which the server notices and says so.
func Dist() fs.FS {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // impossible: the path is a constant and valid
	}
	return dist
}
