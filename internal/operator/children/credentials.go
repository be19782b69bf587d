package children

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/gochat-dev/gochat/api/v1alpha1"
)

// The keys of the Secrets.
const (
	keyUsername = "username"
	keyPassword = "password"
	keyJWKSet   = "keys.json"
)

// KeyJWKSet is where the Secret of the keys holds them, for who rotates them.
const KeyJWKSet = keyJWKSet

// Credential is a Secret that a ChatCluster needs: what has to be in it, and how that is made. It is made once; what stands
// is taken as it is, whoever made it.
type Credential struct {
	Name      string // of the Secret
	Component Component

	// Precious says that it opens what outlives the ChatCluster: under deletionPolicy Retain it does so too.
	Precious bool

	keys map[string]func() []byte
}

// Credentials are the Secrets that a ChatCluster needs, in the order in which they are applied.
func Credentials(cluster *v1alpha1.ChatCluster) []Credential {
	cluster = Defaulted(cluster)
	var all []Credential
	if cluster.Spec.Database.Type == v1alpha1.DatabaseManaged {
		all = append(all, Credential{
			Name: PostgresName(cluster.Name), Component: Postgres, Precious: true,
			keys: map[string]func() []byte{keyPassword: password},
		})
	}
	if cluster.Spec.Redis.Type == v1alpha1.RedisManaged {
		all = append(all, Credential{
			Name: RedisName(cluster.Name), Component: Redis, // Redis keeps nothing that it could open
			keys: map[string]func() []byte{keyPassword: password},
		})
	}
	return append(
		all,
		Credential{
			Name: KeysName(cluster.Name), Component: Access, Precious: true,
			keys: map[string]func() []byte{keyJWKSet: newKeys},
		},
		Credential{
			Name: AdminName(cluster.Name), Component: Access, Precious: true,
			keys: map[string]func() []byte{keyUsername: func() []byte { return []byte("admin") }, keyPassword: password},
		},
	)
}

// Complete returns the data of the Secret with what is missing in it made anew; nil stands for a Secret that there is none of. made
// says whether anything was missing. What is there is not looked at: All does.
func (c Credential) Complete(there map[string][]byte) (data map[string][]byte, made bool) {
	data = maps.Clone(there)
	if data == nil {
		data = make(map[string][]byte)
	}
	for key, generate := range c.keys {
		if len(data[key]) == 0 {
			data[key], made = generate(), true
		}
	}
	return data, made
}

// Placeholders stand for the data of the Secret where it is only shown.
func (c Credential) Placeholders() map[string][]byte {
	data := make(map[string][]byte)
	for key := range c.keys {
		data[key] = []byte("made-by-the-operator")
	}
	return data
}

// check says what is wrong with the data of the Secret. It never repeats it.
func (c Credential) check(data map[string][]byte) error {
	for key := range c.keys {
		value := data[key]
		switch {
		case len(value) == 0:
			return fmt.Errorf("the Secret %s holds no %s", c.Name, key)
		case key == keyPassword && !plain(value):
			// They become parts of URLs and of Redis' configuration.
			return fmt.Errorf("the Secret %s: its %s may hold only letters, digits and - . _ ~", c.Name, key)
		}
	}
	return nil
}

// plain says whether a value is the same in a URL (the unreserved characters of RFC 3986, 2.3).
func plain(value []byte) bool {
	for _, b := range value {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '.', b == '_', b == '~':
		default:
			return false
		}
	}
	return true
}

// password makes a password of 128 bits or more: 26 letters and digits.
func password() []byte { return []byte(rand.Text()) }

// jwkSet is a JWK Set (RFC 7517, 5) of symmetric keys (RFC 7518, 6.4): what the servers read.
type jwkSet struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Secret    string `json:"k"`
}

func newKey() jwk {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	return jwk{Type: "oct", ID: rand.Text()[:12], Use: "sig", Algorithm: "HS256", Secret: base64.RawURLEncoding.EncodeToString(secret)}
}

func (s jwkSet) encode() []byte {
	set, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // plain texts always encode
	}
	return append(set, '\n')
}

// newKeys makes a JWK Set of two keys: the first signs, the second is known to every server before it does.
func newKeys() []byte { return jwkSet{Keys: []jwk{newKey(), newKey()}}.encode() }

// RotateKeys is the next JWK Set of the servers: the second key signs from now on, a new one waits for its turn, and the one that
// signed until now is good for what it has signed. The servers read the new set one after the other, within about a minute; whichever
// set one has, it knows the key that the others sign with. (A set of one key gets a second one first, and goes on signing with its own.)
func RotateKeys(set []byte) ([]byte, error) {
	var old jwkSet
	if err := json.Unmarshal(set, &old); err != nil || len(old.Keys) == 0 {
		return nil, errors.Join(errors.New("this is not a JWK Set with keys"), err)
	}
	if len(old.Keys) == 1 { // nobody knows another key yet
		return jwkSet{Keys: []jwk{old.Keys[0], newKey()}}.encode(), nil
	}
	return jwkSet{Keys: []jwk{old.Keys[1], newKey(), old.Keys[0]}}.encode(), nil
}

// secrets are the children that hold the credentials.
func (p part) secrets() ([]Child, error) {
	var all []Child
	for _, c := range Credentials(p.cluster) {
		data := p.known.Secrets[c.Name]
		if err := c.check(data); err != nil {
			return nil, err
		}
		own := p.of(c.Component)
		secret := ac.Secret(c.Name, p.cluster.Namespace).WithData(data)
		if c.Precious {
			secret = treasured(own, secret)
		} else {
			secret = owned(own, secret)
		}
		all = append(all, Child{Kind: kind("", "v1", "Secret"), Name: c.Name, Object: secret, Kept: c.Precious && p.keeps()})
	}
	return all, nil
}
