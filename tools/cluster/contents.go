package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// image writes one of the images that a chat is made of: image server=BINARY NAME FILE.
func (p places) image(args []string) error {
	if len(args) != 3 {
		return errors.New("image WHAT NAME FILE, where WHAT is server=BINARY, operator=BINARY, postgres or redis")
	}
	what, binary, _ := strings.Cut(args[0], "=")
	var content files
	var how settings
	var err error
	switch what {
	case "server", "operator":
		content, how, err = ofOurs("gochat-"+what, binary)
	case "postgres":
		content, how, err = ofPostgres()
	case "redis":
		content, how, err = ofRedis()
	default:
		return fmt.Errorf("there is no image of %q", what)
	}
	if err != nil {
		return err
	}
	return writeImage(args[2], args[1], content, how)
}

const ourUser = "65532:65532"

// ofOurs is what the Dockerfile makes too: a static binary, certificates, nobody's user, and nothing else.
func ofOurs(name, binary string) (files, settings, error) {
	content := files{}
	content.add("/"+name, file{from: binary})
	content.add("/tmp", file{mode: 0o1777})
	content.add("/etc/passwd", file{text: "root:x:0:0::/:/nologin\nnonroot:x:65532:65532::/tmp:/nologin\n"})
	content.add("/etc/group", file{text: "root:x:0:\nnonroot:x:65532:\n"})
	if _, err := os.Stat(certificates); err == nil {
		content.add(certificates, file{from: certificates})
	}
	how := settings{Entrypoint: []string{"/" + name}, User: ourUser}
	if name == "gochat-server" {
		content.add("/var/lib/gochat", file{mode: 0o1777})
		how.Env = []string{"GOCHAT_DATA_DIR=/var/lib/gochat"}
	}
	return content, how, nil
}

const certificates = "/etc/ssl/certs/ca-certificates.crt"

// ofStatic is an image with one static binary.
func ofStatic(name, binary string) (files, settings) {
	content := files{}
	content.add("/"+name, file{from: binary})
	content.add("/tmp", file{mode: 0o1777})
	return content, settings{Entrypoint: []string{"/" + name}}
}

// tools are what scripts may expect of any system.
var tools = strings.Fields(`awk basename cat chmod chown cmp cp cut date dd df dirname du env expr find grep gzip head id ln locale ls mkdir
	mktemp mv od printf readlink rm rmdir sed seq sh sha256sum sleep sort stat sync tail tee test timeout touch tr true uname wc xargs`)

// ofShell is a system with nothing but a shell and these tools.
func ofShell() (files, settings, error) {
	content := files{}
	for _, dir := range linked {
		content.add("/usr/"+dir, file{mode: 0o755})
		content[dir] = file{link: "usr/" + dir}
	}
	content.add("/tmp", file{mode: 0o1777})
	content.add("/data", file{mode: 0o1777})
	content.add("/run", file{mode: 0o1777})
	content.add("/var/run", file{link: "/run"})
	content.add("/etc/passwd", file{text: "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/data:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n"})
	content.add("/etc/group", file{text: "root:x:0:\npostgres:x:999:\nnonroot:x:65532:\n"})
	for _, tool := range tools {
		program, err := exec.LookPath(tool)
		if err != nil {
			return nil, settings{}, err
		}
		if err := content.program("/usr/bin/"+tool, program); err != nil {
			return nil, settings{}, err
		}
	}
	return content, settings{Cmd: []string{"/bin/sh"}, Env: []string{"PATH=/usr/bin"}}, nil
}

// program adds a program at a path, with the libraries that it is linked to.
func (f files) program(at, program string) error {
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return err
	}
	f.add(at, file{from: real})
	return f.libraries(real)
}

// library matches the lines of ldd that name a file.
var library = regexp.MustCompile(`(?m)^\s(?:\S+ => )?(/\S+) \(0x`)

func (f files) libraries(program string) error {
	out, err := exec.Command("ldd", program).CombinedOutput()
	text := string(out)
	if strings.Contains(text, "not a dynamic executable") || strings.Contains(text, "statically linked") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ldd %s: %w: %s", program, err, out)
	}
	for _, found := range library.FindAllStringSubmatch(text, -1) {
		real, err := filepath.EvalSymlinks(found[1])
		if err != nil {
			return err
		}
		f.add(found[1], file{from: real})
	}
	return nil
}

// ofRedis is the system's Redis.
func ofRedis() (files, settings, error) {
	content, how, err := ofShell()
	if err != nil {
		return nil, how, err
	}
	for _, name := range []string{"redis-server", "redis-cli"} {
		program, err := exec.LookPath(name)
		if err != nil {
			return nil, how, err
		}
		if err := content.program("/usr/bin/"+name, program); err != nil {
			return nil, how, err
		}
	}
	how.Cmd, how.WorkingDir = []string{"redis-server"}, "/data"
	return content, how, nil
}

// ofPostgres is the newest of the system's Postgres, without what compiles queries (as large as all the rest) and without
// what starts it for somebody.
func ofPostgres() (files, settings, error) {
	content, how, err := ofShell()
	if err != nil {
		return nil, how, err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return nil, how, fmt.Errorf("no Postgres below /usr/lib/postgresql (%w)", errors.Join(err, fs.ErrNotExist))
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	release := filepath.Base(filepath.Dir(bin))
	for _, name := range []string{"initdb", "pg_ctl", "pg_dump", "pg_isready", "pg_restore", "postgres", "psql"} {
		if err := content.program(filepath.Join(bin, name), filepath.Join(bin, name)); err != nil {
			return nil, how, err
		}
	}
	for _, dir := range []string{filepath.Join(filepath.Dir(bin), "lib"), "/usr/share/postgresql/" + release, "/usr/share/zoneinfo"} {
		if err := content.tree(dir); err != nil {
			return nil, how, err
		}
	}
	how.Env = []string{"PATH=" + bin + ":/usr/bin"}
	how.WorkingDir = "/data"
	return content, how, nil
}

// tree adds a folder of the machine.
func (f files) tree(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == "bitcode" || d.Name() == "man" {
			return fs.SkipDir
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), "llvmjit") {
			return nil
		}
		real, err := filepath.EvalSymlinks(name)
		if err != nil {
			return err
		}
		if info, err := os.Stat(real); err != nil || info.IsDir() { // a second name of a folder is left out
			return err
		}
		f.add(name, file{from: real})
		if strings.HasSuffix(name, ".so") {
			return f.libraries(real)
		}
		return nil
	})
}
