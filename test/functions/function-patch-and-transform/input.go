// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

const (
	inputAPIVersion = "pt.fn.crossplane.io/v1beta1"
	inputKind       = "Resources"
)

// A patchType tells the direction of a patch.
type patchType string

// Directions that are understood.
const (
	fromComposite patchType = "FromCompositeFieldPath" // The default.
	toComposite   patchType = "ToCompositeFieldPath"
)

// policyOptional is the only policy that is understood, and the default: a patch
// from a path that is not there does nothing.
const policyOptional = "Optional"

// resources is the input: the subset of the real function's that is understood.
type resources struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Resources  []template `json:"resources"`
}

// A template of a composed resource.
type template struct {
	Name    string          `json:"name"`
	Base    json.RawMessage `json:"base"`
	Patches []patch         `json:"patches"`
}

// A patch copies a value from one path to another.
type patch struct {
	Type          patchType `json:"type"`
	FromFieldPath string    `json:"fromFieldPath"`
	ToFieldPath   string    `json:"toFieldPath"`
	Policy        policy    `json:"policy"`
}

// A policy tells what to do about a path that is not there.
type policy struct {
	FromFieldPath string `json:"fromFieldPath"`
}

// parse reads the input. A field that it does not know may change what the real
// function would do, so it is an error.
func parse(in *structpb.Struct) (*resources, error) {
	raw, err := in.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("cannot read the input: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	r := &resources{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("cannot understand the input, of which this stand-in knows only a part: %w", err)
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("cannot understand the input, of which this stand-in knows only a part: %w", err)
	}
	return r, nil
}

func (r *resources) validate() error {
	if r.APIVersion != inputAPIVersion || r.Kind != inputKind {
		return fmt.Errorf("it is of kind %q of %q rather than %q of %q", r.Kind, r.APIVersion, inputKind, inputAPIVersion)
	}
	seen := make(map[string]bool)
	for i := range r.Resources {
		t := &r.Resources[i]
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("resources[%d] has no name of its own: %q", i, t.Name)
		}
		seen[t.Name] = true
		if len(t.Base) == 0 {
			return fmt.Errorf("resource %q has no base", t.Name)
		}
		for j := range t.Patches {
			if err := t.Patches[j].validate(); err != nil {
				return fmt.Errorf("patch %d of resource %q: %w", j, t.Name, err)
			}
		}
	}
	return nil
}

// validate also fills in the defaults, which no API server does for an input.
func (p *patch) validate() error {
	if p.Type == "" {
		p.Type = fromComposite
	}
	if p.Policy.FromFieldPath == "" {
		p.Policy.FromFieldPath = policyOptional
	}
	switch {
	case p.Type != fromComposite && p.Type != toComposite:
		return fmt.Errorf("unknown type %q", p.Type)
	case p.FromFieldPath == "" || p.ToFieldPath == "":
		return errors.New("fromFieldPath and toFieldPath must both be set")
	case strings.Contains(p.FromFieldPath+p.ToFieldPath, "[*]"):
		return errors.New("wildcards in paths are unknown")
	case p.Policy.FromFieldPath != policyOptional:
		return fmt.Errorf("unknown policy.fromFieldPath %q", p.Policy.FromFieldPath)
	}
	return nil
}
