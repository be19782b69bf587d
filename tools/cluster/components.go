package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The node's addresses. Its network is its own, so they meet nobody else's.
const (
	nodeName      = "gochat-node"
	nodeIP        = "10.200.1.2"
	gatewayIP     = "10.200.1.1"
	podRange      = "10.200.2.0/24"
	serviceRange  = "10.201.0.0/16"
	apiserverIP   = "10.201.0.1" // the first of the services'
	dnsIP         = "10.201.0.10"
	domain        = "cluster.local"
	apiserverPort = 6443
	etcdURL       = "http://127.0.0.1:2379"
	containerd    = inside + "/containerd.sock"
	plugins       = "/usr/lib/cni"
)

// component is a program that runs for as long as the node.
type component struct {
	name, program string
	args          []string
}

// below are the components that everything stands on.
func (p places) below() []component {
	pki := func(name string) string { return inside + "/pki/" + name }
	return []component{
		{"containerd", "containerd", []string{"--config", inside + "/conf/containerd.toml"}},
		{"etcd", "etcd", []string{
			"--data-dir", inside + "/etcd", "--log-level", "warn", "--unsafe-no-fsync", // nothing here outlives the node
			"--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL, "--listen-peer-urls", "http://127.0.0.1:2380",
		}},
		{"apiserver", p.kubernetes("kube-apiserver"), flags(map[string]string{
			"advertise-address": nodeIP, "secure-port": fmt.Sprint(apiserverPort), "etcd-servers": etcdURL,
			"service-cluster-ip-range": serviceRange, "allow-privileged": "true",
			"authorization-mode": "Node,RBAC", "enable-admission-plugins": "NodeRestriction",
			"client-ca-file": pki("ca.crt"), "tls-cert-file": pki("apiserver.crt"), "tls-private-key-file": pki("apiserver.key"),
			"kubelet-client-certificate": pki("apiserver-client.crt"), "kubelet-client-key": pki("apiserver-client.key"),
			"kubelet-preferred-address-types": "InternalIP",
			"service-account-issuer":          "https://kubernetes.default.svc." + domain,
			"service-account-key-file":        pki("accounts.pub"), "service-account-signing-key-file": pki("accounts.key"),
			// The way to API servers that extend this one: that of metrics.
			"requestheader-client-ca-file": pki("front-proxy-ca.crt"), "requestheader-allowed-names": "front-proxy",
			"requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group",
			"requestheader-extra-headers-prefix": "X-Remote-Extra-",
			"proxy-client-cert-file":             pki("front-proxy.crt"), "proxy-client-key-file": pki("front-proxy.key"),
		})},
	}
}

// above are the components that are clients of the API server.
func (p places) above() []component {
	kubeconfig := func(name string) string { return inside + "/pki/" + name + ".kubeconfig" }
	return []component{
		{"controllers", p.kubernetes("kube-controller-manager"), flags(map[string]string{
			"kubeconfig": kubeconfig("controllers"), "authentication-kubeconfig": kubeconfig("controllers"),
			"authorization-kubeconfig": kubeconfig("controllers"), "bind-address": "127.0.0.1", "leader-elect": "false",
			"use-service-account-credentials": "true", "root-ca-file": inside + "/pki/ca.crt",
			"service-account-private-key-file": inside + "/pki/accounts.key",
			"cluster-signing-cert-file":        inside + "/pki/ca.crt", "cluster-signing-key-file": inside + "/pki/ca.key",
			// A test need not wait as long as an operator of clusters would have it.
			"horizontal-pod-autoscaler-sync-period":               "5s",
			"horizontal-pod-autoscaler-initial-readiness-delay":   "5s",
			"horizontal-pod-autoscaler-cpu-initialization-period": "10s",
		})},
		{"scheduler", p.kubernetes("kube-scheduler"), flags(map[string]string{
			"kubeconfig": kubeconfig("scheduler"), "authentication-kubeconfig": kubeconfig("scheduler"),
			"authorization-kubeconfig": kubeconfig("scheduler"), "bind-address": "127.0.0.1", "leader-elect": "false",
		})},
		{"kubelet", p.kubernetes("kubelet"), flags(map[string]string{
			"config": inside + "/conf/kubelet.yaml", "kubeconfig": kubeconfig("kubelet"), "root-dir": inside + "/kubelet",
			"hostname-override": nodeName, "node-ip": nodeIP,
		})},
		{"proxy", p.kubernetes("kube-proxy"), flags(map[string]string{"config": inside + "/conf/proxy.yaml"})},
	}
}

func flags(values map[string]string) []string {
	var args []string
	for name, value := range values {
		args = append(args, "--"+name+"="+value)
	}
	return args
}

// configurations are the files of the components that take one.
var configurations = map[string]string{
	"resolv.conf": "nameserver " + dnsIP + "\n",

	// Where a machine gives no process more than it has itself, a sandbox that asks for a better oom_score_adj can't start.
	"containerd.toml": `version = 2
root = "` + inside + `/containerd"
state = "/run/containerd"

[grpc]
address = "` + containerd + `"

[plugins."io.containerd.grpc.v1.cri"]
disable_apparmor = true
restrict_oom_score_adj = true
sandbox_image = "` + images + `pause:1"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "` + plugins + `"
conf_dir = "` + inside + `/conf/net.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`,

	"net.d/pods.conflist": `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "` + podRange + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`,

	// It shares a machine with whatever else runs there: no swap to turn off, no disk to keep free, cgroups as they are.
	"kubelet.yaml": `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://` + containerd + `
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
featureGates:
  KubeletInUserNamespace: true # settings of the machine that it may not change are no error
clusterDomain: ` + domain + `
clusterDNS: [` + dnsIP + `]
resolvConf: ` + inside + `/conf/resolv.conf
podLogsDir: ` + inside + `/log/pods
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: ` + inside + `/pki/ca.crt
authorization:
  mode: Webhook
tlsCertFile: ` + inside + `/pki/kubelet-server.crt
tlsPrivateKeyFile: ` + inside + `/pki/kubelet-server.key
evictionHard:
  imagefs.available: 0%
  memory.available: 0%
  nodefs.available: 0%
  nodefs.inodesFree: 0%
imageGCHighThresholdPercent: 100
nodeStatusUpdateFrequency: 5s
housekeepingInterval: 5s
`,

	"proxy.yaml": `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: ` + podRange + `
hostnameOverride: ` + nodeName + `
clientConnection:
  kubeconfig: ` + inside + `/pki/proxy.kubeconfig
conntrack: # the machine's limits are not the node's to change
  maxPerCore: 0
  min: 0
  tcpCloseWaitTimeout: 0s
  tcpEstablishedTimeout: 0s
`,
}

func writeConfigurations(dir string) error {
	var errs []error
	for name, text := range configurations {
		file := filepath.Join(dir, name)
		errs = append(errs, os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(strings.TrimLeft(text, "\n")), 0o600))
	}
	return errors.Join(errs...)
}
