// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
)

// patience keeps a resource from being tried again and again while its provider
// configuration cannot be used: the waker brings it back when it can. With 50,000
// of them the tries would not even back off, as they soon spend what the
// controller may do in a second, and who is put off for that starts anew.
type patience struct {
	reconcile.Reconciler

	reader client.Reader
	poll   time.Duration
	usable func(providerconfig.Ref) bool
}

// Reconcile a KeaReservation.
func (p *patience) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	res, err := p.Reconciler.Reconcile(ctx, req)
	if err != nil || !res.Requeue { //nolint:staticcheck // It is what crossplane-runtime answers after an error.
		return res, err
	}
	mg := &v1alpha1.KeaReservation{}
	if err := p.reader.Get(ctx, req.NamespacedName, mg); err != nil {
		return res, client.IgnoreNotFound(err) //nolint:wrapcheck // It is the cache's, which tells what it was asked for.
	}
	if p.usable(refOf(mg)) || untold(mg) {
		return res, nil
	}
	return reconcile.Result{RequeueAfter: wait.Jitter(p.poll, pollJitter)}, nil
}

// untold tells whether there is something to be done yet that needs no Kea: to
// tell of the trouble, where the write was refused because somebody else had
// written, or to let go of a resource that is deleted without what it stands for.
func untold(mg *v1alpha1.KeaReservation) bool {
	if meta.WasDeleted(mg) && !may(mg, xpv2.ManagementActionDelete) {
		return true
	}
	return mg.GetCondition(xpv2.TypeSynced).Status != corev1.ConditionFalse
}
