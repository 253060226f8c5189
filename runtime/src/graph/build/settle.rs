//! What is said about a call after it was made: options, and ordering without data.

use super::{Builder, CallOption, CallSite, Form, Gather, Input, NodeId, NodeKind, Raw, ScopeId, Source};

impl Builder {
    pub(super) fn option(&mut self, handle: Raw, option: CallOption, at: CallSite) {
        let what = option.name();
        let Some(node) = self.settled_call(handle, what, at) else { return };
        let call = &self.calls[node.index()];
        let folds = matches!(call.kind, NodeKind::Gather { gather: Gather::Fold(_), .. });
        let repeatable = matches!(option, CallOption::Tag(..));
        if folds && matches!(option, CallOption::Retry(_)) {
            self.error(what, at, "a fold has no retry policy of its own: let the ops before it retry");
        } else if !repeatable && call.options.iter().any(|given| given.name() == what) {
            self.error(what, at, format!("`{what}` is given twice to the same call: keep one"));
        } else if let Some(problem) = bad_name(&option) {
            self.error(what, at, problem);
        } else {
            self.calls[node.index()].options.push(option);
        }
    }

    /// The call that `handle` speaks for, if something may still be said about it.
    fn settled_call(&mut self, handle: Raw, what: &str, at: CallSite) -> Option<NodeId> {
        if matches!(self.look(handle, what, at), Form::Wrong) {
            return None;
        }
        let entry = &self.handles[handle.id as usize];
        let Some(node) = entry.made_by else {
            let made = entry.what;
            self.error(
                what,
                at,
                format!("it is given to {made}: give it to the handle that an op call returns"),
            );
            return None;
        };
        let call = &self.calls[node.index()];
        if call.sealed {
            self.error(what, at, "it is given to the result of a sub-graph: give it to the op call inside");
            return None;
        }
        if call.used {
            self.error(what, at, "it is given after the handle was used: say it at the call");
            return None;
        }
        Some(node)
    }

    pub(super) fn after(&mut self, handle: Raw, before: &[Raw], at: CallSite) {
        let Some(node) = self.settled_call(handle, "after", at) else { return };
        let mut scope = self.calls[node.index()].scope;
        for raw in before {
            let (source, at_scope) = match self.look(*raw, "after", at) {
                Form::Wrong => continue,
                Form::Single { scope, source, .. } => (source, scope),
                Form::Dynamic { base, chain, items } => {
                    let items = items.into_iter().map(|(source, _)| source).collect();
                    (self.ended(base, chain, items, at), base)
                }
                Form::Done { base, chain, nodes } if chain.is_empty() => (Source::Output(nodes[0], 0), base),
                Form::Done { base, chain, nodes } => {
                    let items = nodes.into_iter().map(|node| Source::Output(node, 0)).collect();
                    (self.ended(base, chain, items, at), base)
                }
            };
            self.mark_used(source);
            self.calls[node.index()].after.push(source);
            scope = self.inner_of(scope, at_scope);
        }
        // Nothing read it before this call, so what reads it now is what it is to come after.
        if self.calls[node.index()].used {
            self.error("after", at, "it is ordered after itself: name another step that must end before it");
            return;
        }
        self.move_into(node, scope);
    }

    /// The end of everything below `base` that `items` name.
    fn ended(&mut self, base: ScopeId, chain: Vec<ScopeId>, items: Vec<Source>, at: CallSite) -> Source {
        for source in &items {
            self.mark_used(*source);
        }
        let node = self.push(
            base,
            NodeKind::Gather { chain, items, gather: Gather::Ended },
            Vec::<Input>::new(),
            at,
        );
        Source::Output(node, 0)
    }

    /// Moves a call that nothing reads yet into a scope further in.
    fn move_into(&mut self, node: NodeId, scope: ScopeId) {
        let from = std::mem::replace(&mut self.calls[node.index()].scope, scope);
        if from == scope {
            return;
        }
        self.scopes[from.index()].nodes.retain(|other| *other != node);
        self.scopes[scope.index()].nodes.push(node);
        for index in 0..self.scopes.len() {
            let opens = self.scopes[index].fan.is_some_and(|fan| fan.node() == node);
            if opens && self.scopes[index].parent == Some(from) {
                let child = ScopeId(u32::try_from(index).expect("a job opens fewer than 2³² scopes"));
                self.scopes[index].parent = Some(scope);
                self.scopes[from.index()].children.retain(|other| *other != child);
                self.scopes[scope.index()].children.push(child);
            }
        }
        for handle in self.handles.iter_mut().filter(|handle| handle.made_by == Some(node)) {
            match &mut handle.form {
                Form::Single { scope: at_scope, .. } => *at_scope = scope,
                Form::Dynamic { base, .. } | Form::Done { base, .. } if *base == from => *base = scope,
                _ => {}
            }
        }
    }
}

/// What is wrong with the name of a step or of a pool.
fn bad_name(option: &CallOption) -> Option<String> {
    let (what, name) = match option {
        CallOption::Name(name) => ("step", name),
        CallOption::Pool(name) => ("pool", name),
        _ => return None,
    };
    let bad = name.is_empty() || name.chars().any(|c| c.is_control() || matches!(c, '[' | ']' | '\\' | '.'));
    bad.then(|| format!("{name:?} cannot be the name of a {what}: write some text without `[`, `]`, `\\`, `.` and control characters"))
}
