package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
)

// adminCommand is the way in where registration is closed, and the way back.
type adminCommand struct {
	Create        createCommand   `cmd:"" help:"Make an administrator's account. The password is read from standard input, or from a file."`
	ResetPassword resetCommand    `cmd:"" help:"Set an account's password and end its sessions. The password is read from standard input."`
	NewEpoch      newEpochCommand `cmd:"" help:"After a restore by hand: have every client drop its copy and read afresh."`
}

type createCommand struct {
	Username     string `required:"" placeholder:"NAME" help:"3 to 32 of a-z, 0-9, _ . -"`
	DisplayName  string `placeholder:"NAME" help:"Without it: the user name."`
	PasswordFile string `placeholder:"FILE" help:"Read the password from the first line of this file, not from standard input."`
	IfNone       bool   `help:"Do nothing where somebody is an administrator already."`
}

// Run makes an administrator.
func (a createCommand) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, store chat.Store) error {
		there, err := a.there(ctx, store)
		if err != nil || there {
			return err
		}
		password, err := a.password()
		if err != nil {
			return err
		}
		_, err = auth.New(auth.Config{Store: store}).
			CreateAdmin(ctx, auth.SignUp{Username: a.Username, DisplayName: a.DisplayName, Password: password})
		if errors.Is(err, chat.ErrUsernameTaken) { // perhaps by another one of this command, since we looked
			if there, again := a.there(ctx, store); again != nil || there {
				return again
			}
		}
		return done(err, "made the administrator "+a.Username)
	})
}

// there says whether the command has nothing to do, and tells people so.
func (a createCommand) there(ctx context.Context, store chat.Store) (bool, error) {
	if !a.IfNone {
		return false, nil
	}
	has, err := store.HasAdmin(ctx)
	if err != nil || !has {
		return false, err
	}
	return true, done(nil, "there is an administrator already")
}

func (a createCommand) password() (string, error) {
	if a.PasswordFile == "" {
		return readPassword(os.Stdin)
	}
	f, err := os.Open(a.PasswordFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	password, err := firstLine(f)
	if err == nil && password == "" {
		err = fmt.Errorf("%s holds no password", a.PasswordFile)
	}
	return password, err
}

type resetCommand struct {
	Username string `required:"" placeholder:"NAME" help:"Whose password."`
}

// Run sets a password.
func (a resetCommand) Run(c *cli) error {
	return c.withAccounts(func(ctx context.Context, accounts *auth.Service) error {
		password, err := readPassword(os.Stdin)
		if err != nil {
			return err
		}
		return done(accounts.ResetPassword(ctx, a.Username, password), "set the password of "+a.Username+" and ended its sessions")
	})
}

type newEpochCommand struct{}

// Run begins a new epoch (RES3).
func (newEpochCommand) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, store chat.Store) error {
		epoch, err := store.NewEpoch(ctx)
		return done(err, "began the epoch "+epoch)
	})
}

func done(err error, what string) error {
	if err != nil {
		return err
	}
	_, err = fmt.Println(what)
	return err
}

func (c *cli) withStore(f func(ctx context.Context, store chat.Store) error) error {
	cfg, _, err := c.settings()
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(ctx, store), store.Close())
}

func (c *cli) withAccounts(f func(ctx context.Context, accounts *auth.Service) error) error {
	return c.withStore(func(ctx context.Context, store chat.Store) error {
		return f(ctx, auth.New(auth.Config{Store: store}))
	})
}

// readPassword reads one line. On a terminal it says what it waits for; what is typed can be seen there.
func readPassword(in *os.File) (string, error) {
	if isTerminal(in) {
		fmt.Fprint(os.Stderr, "Password (it will be shown; at least 10 characters): ")
	}
	password, err := firstLine(in)
	if err == nil && password == "" {
		err = errors.New("no password on standard input: printf '%s' \"$PASSWORD\" | server admin …")
	}
	return password, err
}

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
