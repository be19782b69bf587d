package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// subject is who a certificate is about: a user with a group, or a server with names and addresses.
type subject struct {
	name, group string
	hosts       []string
}

// makeCertificates writes every key, certificate and kubeconfig of a node into a folder. They end with the node.
func makeCertificates(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	cluster, err := newAuthority(dir, "ca")
	if err != nil {
		return err
	}
	front, err := newAuthority(dir, "front-proxy-ca")
	if err != nil {
		return err
	}
	servers := []string{"localhost", "127.0.0.1", nodeIP, nodeName}
	for file, about := range map[string]subject{
		"apiserver": {name: "kube-apiserver", hosts: append([]string{
			apiserverIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + domain,
		}, servers...)},
		"apiserver-client": {name: "kube-apiserver", group: "system:masters"},
		"kubelet-server":   {name: nodeName, hosts: servers},
	} {
		if _, _, err := cluster.issue(dir, file, about); err != nil {
			return err
		}
	}
	if _, _, err := front.issue(dir, "front-proxy", subject{name: "front-proxy"}); err != nil {
		return err
	}
	for file, about := range map[string]subject{
		"admin":       {name: "admin", group: "system:masters"},
		"controllers": {name: "system:kube-controller-manager"},
		"scheduler":   {name: "system:kube-scheduler"},
		"kubelet":     {name: "system:node:" + nodeName, group: "system:nodes"},
		"proxy":       {name: "system:kube-proxy"},
	} {
		cert, key, err := cluster.issue(dir, file, about)
		if err != nil {
			return err
		}
		if err := writeKubeconfig(filepath.Join(dir, file+".kubeconfig"), cluster.pem, cert, key); err != nil {
			return err
		}
	}
	return serviceAccountKey(dir)
}

func newAuthority(dir, name string) (*authority, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certPEM, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, pem: certPEM}, writePair(dir, name, certPEM, keyPEM)
}

// issue writes and returns a certificate and its key.
func (a *authority) issue(dir, file string, about subject) (cert, key []byte, err error) {
	private, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: about.name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if about.group != "" {
		template.Subject.Organization = []string{about.group}
	}
	for _, host := range about.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	certPEM, err := sign(template, a.cert, private, a.key)
	if err != nil {
		return nil, nil, err
	}
	return certPEM, keyPEM, writePair(dir, file, certPEM, keyPEM)
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}

func sign(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

func writePair(dir, name string, cert, key []byte) error {
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".crt"), cert, 0o600),
		os.WriteFile(filepath.Join(dir, name+".key"), key, 0o600))
}

// serviceAccountKey writes the key pair of the tokens that pods get.
func serviceAccountKey(dir string) error {
	key, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "accounts.key"), keyPEM, 0o600),
		os.WriteFile(filepath.Join(dir, "accounts.pub"), public, 0o600))
}

// writeKubeconfig writes one that needs no other file. Its address is reached in the node's network only.
func writeKubeconfig(path string, ca, cert, key []byte) error {
	text := base64.StdEncoding.EncodeToString
	return os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: gochat
contexts:
  - {name: gochat, context: {cluster: gochat, user: gochat}}
clusters:
  - name: gochat
    cluster:
      server: https://127.0.0.1:%d
      certificate-authority-data: %s
users:
  - name: gochat
    user:
      client-certificate-data: %s
      client-key-data: %s
`, apiserverPort, text(ca), text(cert), text(key)), 0o600)
}
