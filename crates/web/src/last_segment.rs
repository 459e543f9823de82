//! Addresses that end in something unguessable, such as `/login/{handle}`. They are asked for in every login, so they are
//! found by their fixed part alone, and no pattern is compiled for them.

use std::{
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route,
    dev::{AppService, HttpServiceFactory, Payload, ResourceDef},
    guard::{self, Guard},
    http::{Method, header::Allow},
    web as actix,
};

use crate::problem::Problem;

/// What stands behind the fixed part of an address of [`below`], as it was sent. Anything but one segment is
/// nothing that could be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSegment(pub String);

impl Deref for LastSegment {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromRequest for LastSegment {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let rest = request.match_info().unprocessed();
        let segment = rest.strip_prefix('/').filter(|it| !it.is_empty() && !it.contains('/'));
        ready(segment.map(|it| Self(it.to_owned())).ok_or_else(Problem::not_found))
    }
}

/// The addresses `{path}/{segment}`.
pub struct Below {
    path: String,
    routes: Vec<(Method, Route)>,
}

/// The addresses below `path`, so far with nothing there.
pub fn below(path: impl Into<String>) -> Below {
    Below { path: path.into(), routes: Vec::new() }
}

impl Below {
    /// What answers GET; the handler takes a [`LastSegment`].
    #[must_use]
    pub fn get<Args: FromRequest + 'static>(self, handler: impl Answers<Args>) -> Self {
        self.with(Method::GET, handler)
    }

    /// What answers POST.
    #[must_use]
    pub fn post<Args: FromRequest + 'static>(self, handler: impl Answers<Args>) -> Self {
        self.with(Method::POST, handler)
    }

    fn with<Args: FromRequest + 'static>(mut self, method: Method, handler: impl Answers<Args>) -> Self {
        self.routes.push((method, actix::to(handler)));
        self
    }
}

/// A handler.
pub trait Answers<Args>: Handler<Args, Output: Responder + 'static> {}

impl<Args, H: Handler<Args, Output: Responder + 'static>> Answers<Args> for H {}

impl HttpServiceFactory for Below {
    fn register(self, config: &mut AppService) {
        let path = ResourceDef::prefix(self.path);
        let allowed: Vec<_> = self.routes.iter().map(|(method, _)| method.clone()).collect();
        for (method, route) in self.routes {
            let is_asked: Box<dyn Guard> = Box::new(guard::Method(method));
            config.register_service(path.clone(), Some(vec![is_asked]), route, None);
        }
        let other_methods = actix::to(move || {
            let allowed = Allow(allowed.clone());
            async move { HttpResponse::MethodNotAllowed().insert_header(allowed).finish() }
        });
        config.register_service(path, None, other_methods, None);
    }
}
