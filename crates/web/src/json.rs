//! A body in JSON, within the same bounds as that of a form.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Bytes};

use crate::form::{self, FormError};

/// The bytes of an `application/json` body. What they say is read by whoever asked for them.
#[derive(Debug)]
pub struct JsonBody(Bytes);

impl JsonBody {
    /// As they were sent.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromRequest for JsonBody {
    type Error = FormError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, FormError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = form::is(request, "application/json");
        let body = form::body(request, payload);
        Box::pin(async move { if is_json { body.await.map(Self) } else { Err(FormError::NotJson) } })
    }
}
