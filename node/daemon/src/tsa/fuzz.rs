//! A door for `tests/fuzz`: what is read of a query, encoded again. Not an interface.

use der::Encode as _;
use der::asn1::ObjectIdentifier;

use super::asn1::{Request, rejected};
use super::query::Query;

/// The query's bytes again, if they are one; whether it is answered with a token does not matter.
pub fn query(bytes: &[u8]) -> Option<Vec<u8>> {
    let policy = ObjectIdentifier::new_unwrap(tbsi_home::config::TSA_POLICY);
    match Request::parse(bytes) {
        Ok(request) => {
            match Query::check(&request, policy) {
                Ok(query) => assert!(!query.words().is_empty(), "a digest has words"),
                Err(rejection) => assert!(rejected(&rejection).is_ok(), "it can be said"),
            }
            Some(request.to_der().expect("what was read is encoded"))
        }
        Err(rejection) => {
            assert!(rejected(&rejection).is_ok(), "it can be said");
            None
        }
    }
}
