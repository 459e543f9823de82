//! Who is at the other end, as far as the connection tells: what a store counts by, so that one visitor cannot fill it.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;

/// The address that a request came from. Of one of IPv6 the first half: that is what one visitor is given, who can
/// choose the rest.
pub fn address(request: &HttpRequest) -> Option<IpAddr> {
    Some(match request.peer_addr()?.ip().to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn i23_one_visitor_has_one_address() {
        let from = |peer: &str| {
            let request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
            address(&request.to_http_request()).unwrap().to_string()
        };
        assert_eq!(from("192.0.2.1"), "192.0.2.1");
        assert_eq!(from("[::ffff:192.0.2.1]"), "192.0.2.1");
        assert_eq!(from("[2001:db8:1:2:3:4:5:6]"), "2001:db8:1:2::");
        assert_eq!(from("[2001:db8:1:2::9]"), "2001:db8:1:2::");
        assert_eq!(from("[2001:db8:1:3::9]"), "2001:db8:1:3::");
    }
}
