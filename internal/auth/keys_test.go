package auth

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func jwks(ids ...string) string {
	keys := make([]string, 0, len(ids))
	for i, id := range ids {
		secret := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{byte(i + 1)}, 32))
		keys = append(keys, fmt.Sprintf(`{"kty":"oct","kid":%q,"k":%q}`, id, secret))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestDataDirIsMadeAndKeptPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	first, err := OpenDataDir(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "jwt-keys.json")
	if mode(t, dir) != 0o700 || mode(t, path) != 0o600 {
		t.Errorf("modes %v and %v", mode(t, dir), mode(t, path))
	}
	for name, m := range map[string]os.FileMode{dir: 0o755, path: 0o644} { // opened by somebody
		if err := os.Chmod(name, m); err != nil {
			t.Fatal(err)
		}
	}
	again, err := OpenDataDir(dir, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if mode(t, dir) != 0o700 || mode(t, path) != 0o600 {
		t.Errorf("not tightened: %v and %v", mode(t, dir), mode(t, path))
	}
	if a, b := first.Keys()[0], again.Keys()[0]; a.ID != b.ID || !bytes.Equal(a.Secret, b.Secret) {
		t.Error("the second start made another key")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("beside the keys there is something left: %v %v", left, err)
	}
}

func TestNodesThatStartAtOnceAgreeOnTheKeys(t *testing.T) {
	dir := t.TempDir()
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			f, err := OpenDataDir(dir, slog.Default())
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = f.Keys()[0].ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("keys differ: %q", ids)
		}
	}
}

func TestBadKeySetsAreRefused(t *testing.T) {
	long := base64.RawURLEncoding.EncodeToString(secretA)
	for name, set := range map[string]string{
		"empty":          "",
		"not JSON":       "secret",
		"no keys":        `{"keys":[]}`,
		"another type":   `{"keys":[{"kty":"RSA","kid":"a","n":"AQAB"}]}`,
		"another alg":    `{"keys":[{"kty":"oct","alg":"HS512","kid":"a","k":"` + long + `"}]}`,
		"for encryption": `{"keys":[{"kty":"oct","use":"enc","kid":"a","k":"` + long + `"}]}`,
		"no id":          `{"keys":[{"kty":"oct","k":"` + long + `"}]}`,
		"one id twice":   jwks("a", "a"),
		"too short":      `{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
		"not base64url":  `{"keys":[{"kty":"oct","kid":"a","k":"` + strings.Repeat("+/", 40) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(set), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenKeyFile(path, slog.Default()); err == nil {
				t.Error("was accepted")
			}
		})
	}
	if _, err := OpenKeyFile(filepath.Join(t.TempDir(), "none"), slog.Default()); err == nil {
		t.Error("a file that is not there was accepted")
	}
}

func TestKeyFileIsReadAgainWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keys.json")
		write := func(set string) {
			t.Helper()
			// as a careful operator does it: another file in its place
			if err := os.WriteFile(path+".new", []byte(set), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
		ids := func(f *KeyFile) string {
			var ids []string
			for _, k := range f.Keys() {
				ids = append(ids, k.ID)
			}
			return strings.Join(ids, " ")
		}
		write(jwks("a"))
		var log bytes.Buffer
		f, err := OpenKeyFile(path, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		write(jwks("b", "a"))
		if got := ids(f); got != "a" {
			t.Errorf("the file is looked at for every token: %q", got)
		}
		time.Sleep(lookEvery)
		if got := ids(f); got != "b a" {
			t.Errorf("after the change: %q", got)
		}
		write("broken")
		for range 3 {
			time.Sleep(lookEvery)
			if got := ids(f); got != "b a" {
				t.Errorf("with a broken file: %q", got)
			}
		}
		if n := strings.Count(log.String(), "can't be read"); n != 1 {
			t.Errorf("a broken file was complained of %d times:\n%s", n, &log)
		}
		write(jwks("c"))
		time.Sleep(lookEvery)
		if got := ids(f); got != "c" {
			t.Errorf("when it is whole again: %q", got)
		}
	})
}
