// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/fieldpath"
	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/request"
	"github.com/crossplane/function-sdk-go/resource"
	"github.com/crossplane/function-sdk-go/resource/composed"
	"github.com/crossplane/function-sdk-go/response"
)

// fn is the function.
type fn struct {
	fnv1.UnimplementedFunctionRunnerServiceServer

	log logging.Logger
}

// RunFunction composes. What goes wrong is told in the response: an error would be
// taken for a function that cannot be reached.
func (f *fn) RunFunction(_ context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	f.log.Debug("Running", "tag", req.GetMeta().GetTag())
	rsp := response.To(req, response.DefaultTTL)
	if err := compose(req, rsp); err != nil {
		response.Fatal(rsp, err)
	}
	return rsp, nil
}

func compose(req *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) error {
	in, err := parse(req.GetInput())
	if err != nil {
		return err
	}
	oxr, err := request.GetObservedCompositeResource(req)
	if err != nil {
		return fmt.Errorf("cannot get the observed composite resource: %w", err)
	}
	dxr, err := request.GetDesiredCompositeResource(req)
	if err != nil {
		return fmt.Errorf("cannot get the desired composite resource: %w", err)
	}
	observed, err := request.GetObservedComposedResources(req)
	if err != nil {
		return fmt.Errorf("cannot get the observed composed resources: %w", err)
	}
	desired, err := request.GetDesiredComposedResources(req)
	if err != nil {
		return fmt.Errorf("cannot get the desired composed resources: %w", err)
	}
	// As the real function does: a status alone would be an object of no kind.
	dxr.Resource.SetAPIVersion(oxr.Resource.GetAPIVersion())
	dxr.Resource.SetKind(oxr.Resource.GetKind())

	for _, t := range in.Resources {
		var ocd *composed.Unstructured
		if o, ok := observed[resource.Name(t.Name)]; ok {
			ocd = o.Resource
		}
		dcd, err := t.render(ocd, oxr, dxr)
		if err != nil {
			return fmt.Errorf("cannot render resource %q: %w", t.Name, err)
		}
		// The real function calls it ready by the condition Ready, if nothing else is
		// asked for. Here that is left to function-auto-ready, so that it has a part.
		desired[resource.Name(t.Name)] = dcd
	}
	if err := response.SetDesiredCompositeResource(rsp, dxr); err != nil {
		return fmt.Errorf("cannot set the desired composite resource: %w", err)
	}
	if err := response.SetDesiredComposedResources(rsp, desired); err != nil {
		return fmt.Errorf("cannot set the desired composed resources: %w", err)
	}
	return nil
}

// render makes the desired resource out of the base and the patches, and patches
// the desired composite resource. Values come from what is observed alone.
func (t *template) render(ocd *composed.Unstructured, oxr, dxr *resource.Composite) (*resource.DesiredComposed, error) {
	dcd := resource.NewDesiredComposed()
	if err := json.Unmarshal(t.Base, dcd.Resource); err != nil {
		return nil, fmt.Errorf("cannot parse its base: %w", err)
	}
	if ocd != nil {
		dcd.Resource.SetNamespace(ocd.GetNamespace())
		dcd.Resource.SetName(ocd.GetName())
	}
	for i, p := range t.Patches {
		from, to := oxr.Resource.Object, dcd.Resource.Object
		if p.Type == toComposite {
			if ocd == nil {
				continue // Nothing to patch from yet.
			}
			from, to = ocd.Object, dxr.Resource.Object
		}
		if err := p.apply(from, to); err != nil {
			return nil, fmt.Errorf("cannot apply patch %d: %w", i, err)
		}
	}
	return dcd, nil
}

func (p *patch) apply(from, to map[string]any) error {
	v, err := fieldpath.Pave(from).GetValue(p.FromFieldPath)
	if fieldpath.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot get %s: %w", p.FromFieldPath, err)
	}
	if err := fieldpath.Pave(to).SetValue(p.ToFieldPath, v); err != nil {
		return fmt.Errorf("cannot set %s: %w", p.ToFieldPath, err)
	}
	return nil
}
