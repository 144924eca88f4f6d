// SPDX-License-Identifier: Apache-2.0

package cached

// Len returns how many writes are kept.
func (w *Writes) Len() int { return len(w.of) }
