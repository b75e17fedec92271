//! What can be connected or bound to: addresses, or names that stand for them.
//!
//! std's trait of this name looks names up on the calling thread, which would hold up every task of
//! the worker; here a name stays a name until [`lookup`](crate::lookup) asks for it elsewhere.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What a [`ToSocketAddrs`] stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// These addresses, to be tried in this order.
    Addresses(Vec<SocketAddr>),
    /// A host's name, to be looked up, and a port.
    Name {
        /// The name.
        host: String,
        /// The port.
        port: u16,
    },
}

/// Something that stands for one or more socket addresses.
///
/// ```
/// use goro_net::{Target, ToSocketAddrs};
///
/// assert!(matches!("127.0.0.1:80".target()?, Target::Addresses(list) if list.len() == 1));
/// assert!(matches!(("::1", 80).target()?, Target::Addresses(_)));
/// let name = Target::Name { host: "example.org".into(), port: 443 };
/// assert_eq!("example.org:443".target()?, name);
/// assert!("example.org".target().is_err(), "no port");
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ToSocketAddrs {
    /// The addresses, or the name to look up. Does not block.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if it stands for neither.
    fn target(&self) -> io::Result<Target>;
}

fn one(address: impl Into<SocketAddr>) -> io::Result<Target> {
    Ok(Target::Addresses(vec![address.into()]))
}

fn named(host: &str, port: u16) -> io::Result<Target> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return one((ip, port));
    }
    if host.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the host's name is empty"));
    }
    Ok(Target::Name { host: host.to_owned(), port })
}

impl ToSocketAddrs for str {
    fn target(&self) -> io::Result<Target> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return one(address);
        }
        let invalid = |why: &str| {
            let text = format!("{self:?} is not HOST:PORT: {why}");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        let (host, port) = self.rsplit_once(':').ok_or_else(|| invalid("there is no port"))?;
        if host.contains(':') {
            return Err(invalid("an IPv6 address stands in brackets before its port"));
        }
        let port = port.parse().map_err(|_| invalid("the port is no number up to 65535"))?;
        named(host, port)
    }
}

impl ToSocketAddrs for String {
    fn target(&self) -> io::Result<Target> {
        self.as_str().target()
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn target(&self) -> io::Result<Target> {
        named(self.0, self.1)
    }
}

impl ToSocketAddrs for (String, u16) {
    fn target(&self) -> io::Result<Target> {
        named(&self.0, self.1)
    }
}

macro_rules! addresses {
    ($($one:ty),*) => {$(
        impl ToSocketAddrs for $one {
            fn target(&self) -> io::Result<Target> {
                one(*self)
            }
        }
    )*};
}

addresses!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToSocketAddrs for [SocketAddr] {
    fn target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(self.to_vec()))
    }
}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {
    fn target(&self) -> io::Result<Target> {
        self.as_slice().target()
    }
}

impl ToSocketAddrs for Vec<SocketAddr> {
    fn target(&self) -> io::Result<Target> {
        self.as_slice().target()
    }
}

impl ToSocketAddrs for Target {
    fn target(&self) -> io::Result<Target> {
        Ok(self.clone())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn target(&self) -> io::Result<Target> {
        (**self).target()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses(from: impl ToSocketAddrs) -> Vec<SocketAddr> {
        match from.target().unwrap() {
            Target::Addresses(addresses) => addresses,
            name @ Target::Name { .. } => panic!("{name:?}"),
        }
    }

    #[test]
    fn literal_addresses_are_never_looked_up() {
        let v4 = SocketAddr::from(([127, 0, 0, 1], 80));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        assert_eq!(addresses("127.0.0.1:80"), [v4]);
        assert_eq!(addresses(String::from("[::1]:80")), [v6]);
        assert_eq!(addresses(("127.0.0.1", 80)), [v4]);
        assert_eq!(addresses((String::from("::1"), 80)), [v6]);
        assert_eq!(addresses((Ipv4Addr::LOCALHOST, 80)), [v4]);
        assert_eq!(addresses((Ipv6Addr::LOCALHOST, 80)), [v6]);
        assert_eq!(addresses((IpAddr::from([127, 0, 0, 1]), 80)), [v4]);
        assert_eq!(addresses(&[v4, v6][..]), [v4, v6]);
        assert_eq!(addresses([v6, v4]), [v6, v4]);
        assert_eq!(addresses(vec![v4]), [v4]);
        let reference = &v6;
        assert_eq!(addresses(reference), [v6]);
        assert_eq!(addresses(Target::Addresses(vec![v4])), [v4]);
    }

    #[test]
    fn names_stay_names() {
        let name = Target::Name { host: "localhost".into(), port: 8080 };
        for target in ["localhost:8080".target(), ("localhost", 8080).target(), name.target()] {
            assert_eq!(target.unwrap(), name);
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_the_reason() {
        for (text, why) in [
            ("localhost", "there is no port"),
            ("localhost:http", "the port is no number"),
            ("localhost:65536", "the port is no number"),
            ("::1:80:x", "stands in brackets"),
            ("fe80::zz:80", "stands in brackets"),
            (":80", "name is empty"),
        ] {
            let refused = text.target().unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
            assert!(refused.to_string().contains(why), "{text}: {refused}");
        }
    }

    proptest! {
        /// Pitfall 11: an address survives the way through its text and through the kernel's form.
        #[test]
        fn an_address_survives_every_form(
            ip: [u8; 16], port: u16, flow in 0..1_u32 << 20, scope: u32, v4: bool,
        ) {
            let address = if v4 {
                SocketAddr::from((Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3]), port))
            } else {
                SocketAddr::V6(SocketAddrV6::new(ip.into(), port, flow, scope))
            };
            prop_assert_eq!(socket2::SockAddr::from(address).as_socket(), Some(address));
            if v4 || flow == 0 {
                let text = address.to_string();
                prop_assert_eq!(addresses(text), [address]);
            }
        }
    }
}
