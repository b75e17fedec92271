//! What both ends of a channel can say, and what keeps it open.

/// Declares what a `Sender` and a `Receiver` have in common, and the weak end that goes with it.
macro_rules! end {
    ($End:ident, $count:ident, $Weak:ident, $add:ident, $drop:ident) => {
        impl<T> $End<T> {
            /// Closes the channel: nothing is sent from now on, permits included, and who waits to
            /// send gets its value back. What is in the channel can still be received.
            ///
            /// False if it was closed already.
            pub fn close(&self) -> bool {
                self.channel.close(None)
            }

            /// As [`close`](Self::close), for a reason that the errors of both ends will tell.
            ///
            /// ```
            /// use goro_context::Cause;
            /// let (tx, rx) = goro_sync::channel::bounded::<u8>(1);
            /// tx.close_with(Cause::new("out of stock"));
            /// assert!(rx.blocking_recv().unwrap_err().to_string().ends_with("out of stock"));
            /// ```
            pub fn close_with(&self, cause: impl Into<goro_context::Cause>) -> bool {
                self.channel.close(Some(cause.into()))
            }

            /// Waits until nothing can be sent any more: the channel was closed, or all ends of
            /// either kind are gone. There may be values left to receive.
            ///
            /// # Cancel safety
            /// Safe.
            pub fn closed(&self) -> $crate::channel::ClosedFuture<'_, T> {
                $crate::channel::ClosedFuture::new(&self.channel)
            }

            /// Whether nothing can be sent any more. There may be values left to receive.
            pub fn is_closed(&self) -> bool {
                self.channel.lock().closed
            }

            /// How many values are in the channel; at most its capacity, so always 0 at a
            /// rendezvous. (For each receiver that waits, one more may be on its way.)
            pub fn len(&self) -> usize {
                let state = self.channel.lock();
                state.len().min(state.capacity)
            }

            /// Whether no value is in the channel.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many values have a place in the channel; `None` if any number has.
            pub fn capacity(&self) -> Option<usize> {
                match self.channel.lock().capacity {
                    usize::MAX => None,
                    capacity => Some(capacity),
                }
            }

            /// How many senders there are, those not counted that were downgraded.
            pub fn sender_count(&self) -> usize {
                self.channel.lock().senders as usize
            }

            /// How many receivers there are, those not counted that were downgraded.
            pub fn receiver_count(&self) -> usize {
                self.channel.lock().receivers as usize
            }

            /// The channel's name, if it was given one.
            pub fn name(&self) -> Option<goro_context::cause::Text> {
                self.channel.lock().rare.as_ref()?.name.as_ref().map($crate::names::Name::text)
            }

            /// Whether both are ends of one channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.channel, &other.channel)
            }

            /// An end that does not keep the channel open.
            pub fn downgrade(&self) -> $Weak<T> {
                $Weak { channel: Arc::clone(&self.channel) }
            }
        }

        impl<T> Clone for $End<T> {
            fn clone(&self) -> Self {
                self.channel.$add();
                Self { channel: Arc::clone(&self.channel) }
            }
        }

        impl<T> Drop for $End<T> {
            fn drop(&mut self) {
                self.channel.$drop();
            }
        }

        impl<T> fmt::Debug for $End<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.channel.describe(stringify!($End), f)
            }
        }

        #[doc = concat!("A [`", stringify!($End), "`] that does not keep its channel open.")]
        pub struct $Weak<T> {
            channel: Arc<Channel<T>>,
        }

        impl<T> $Weak<T> {
            /// The end itself, unless all of its kind are gone.
            pub fn upgrade(&self) -> Option<$End<T>> {
                let mut state = self.channel.lock();
                if state.$count == 0 {
                    return None;
                }
                let more = state.$count.checked_add(1);
                state.$count = more.expect("a channel has fewer than 2^32 ends of a kind");
                drop(state);
                Some($End { channel: Arc::clone(&self.channel) })
            }
        }

        impl<T> Clone for $Weak<T> {
            fn clone(&self) -> Self {
                Self { channel: Arc::clone(&self.channel) }
            }
        }

        impl<T> fmt::Debug for $Weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.channel.describe(stringify!($Weak), f)
            }
        }
    };
}

pub(crate) use end;
