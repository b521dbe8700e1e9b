// Command remotesecret prints what `istioctl create-remote-secret` prints for a cluster whose
// reader account already has its token: istioctl's own command, on a client that holds the account
// and the token Secret in memory instead of talking to an API server.
//
// Standard input is one JSON object: {"cluster", "server", "ca", "token", "namespace", "secret",
// "minor"}; ca is PEM text, secret the name of the token Secret, minor the Kubernetes minor version.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"istio.io/istio/istioctl/pkg/cli"
	"istio.io/istio/istioctl/pkg/multicluster"
	"istio.io/istio/pkg/config/constants"
)

type request struct {
	Cluster   string `json:"cluster"`
	Server    string `json:"server"`
	CA        string `json:"ca"`
	Token     string `json:"token"`
	Namespace string `json:"namespace"`
	Secret    string `json:"secret"`
	Minor     string `json:"minor"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "remotesecret:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	account := &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{
			Name:      constants.DefaultServiceAccountName,
			Namespace: asked.Namespace,
		},
		Secrets: []corev1.ObjectReference{{Name: asked.Secret}},
	}
	token := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:        asked.Secret,
			Namespace:   asked.Namespace,
			Annotations: map[string]string{corev1.ServiceAccountNameKey: account.Name},
		},
		Type: corev1.SecretTypeServiceAccountToken,
		Data: map[string][]byte{
			corev1.ServiceAccountRootCAKey: []byte(asked.CA),
			corev1.ServiceAccountTokenKey:  []byte(asked.Token),
		},
	}
	context := cli.NewFakeContext(&cli.NewFakeContextOption{
		Namespace:      asked.Namespace,
		IstioNamespace: asked.Namespace,
		Objects:        []runtime.Object{account, token},
		Version:        asked.Minor,
	})
	command := multicluster.NewCreateRemoteSecretCommand(context)
	command.SetArgs([]string{"--name", asked.Cluster, "--server", asked.Server})
	command.SetOut(os.Stdout)
	command.SetErr(os.Stderr)
	return command.Execute()
}
