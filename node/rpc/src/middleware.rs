//! What is checked of every HTTP request before anything else: under which name the node was
//! reached, and from which page.

use std::sync::Arc;
use std::task::{Context, Poll};

use crate::web::{HostRule, OriginRule};
use futures::future::Either;
use http::header::{HOST, ORIGIN};
use http::{Method, StatusCode};
use jsonrpsee::server::{HttpRequest, HttpResponse};
use tower::Service;

use crate::pages::Page;
use crate::token::TokenSecret;

/// Which pages may call, and under which names beside addresses the node is reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) origins: Vec<OriginRule>,
    pub(crate) hosts: Vec<HostRule>,
}

impl Rules {
    /// CORS alone would not do: browsers do not apply it to WebSockets, so any page could read a
    /// node on its visitor's own machine.
    pub(crate) fn allows_origin(&self, origin: &[u8]) -> bool {
        let origin = std::str::from_utf8(origin).ok();
        origin.is_some_and(|origin| self.origins.iter().any(|rule| rule.allows(origin)))
    }

    /// A page may have its own name lead to this machine, and be of the same origin then.
    fn allows_host(&self, host: &str) -> bool {
        HostRule::is_allowed_always(host) || self.hosts.iter().any(|rule| rule.allows(host))
    }

    fn refusal<B>(&self, request: &HttpRequest<B>) -> Option<Page> {
        let named = request
            .uri()
            .authority()
            .map(|authority| authority.as_str());
        let header = request.headers().get(HOST);
        let host = named.or_else(|| header.map(|host| host.to_str().unwrap_or("?")));
        if let Some(host) = host.filter(|host| !self.allows_host(host)) {
            let host: String = host.chars().take(100).collect();
            let sentence = format!(
                "invalid host specified: this node is not known as `{}`; call it by its address, \
                 or see `rpc.hosts`",
                host.escape_debug()
            );
            return Some(Page::refusal(StatusCode::FORBIDDEN, sentence));
        }
        let origin = request.headers().get(ORIGIN);
        if origin.is_none_or(|origin| self.allows_origin(origin.as_bytes())) {
            return None;
        }
        let sentence = "origin not allowed; see `rpc.cors_origins`";
        Some(Page::refusal(StatusCode::FORBIDDEN, sentence))
    }
}

/// Whoever shows no token that is good is served nothing, pages and preflights included.
#[derive(Clone)]
pub(crate) struct WithToken<S> {
    pub(crate) inner: S,
    /// `None`: nobody has to show one.
    pub(crate) token: Option<Arc<TokenSecret>>,
}

impl<S, B> Service<HttpRequest<B>> for WithToken<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Either<S::Future, std::future::Ready<Result<HttpResponse, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let token = self.token.as_ref();
        match token.map_or(Ok(()), |token| token.check(request.headers())) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(reason) => {
                let head_only = *request.method() == Method::HEAD;
                let refusal = Page::unauthorized(reason).response(head_only);
                Either::Right(std::future::ready(Ok(refusal)))
            }
        }
    }
}

/// [`Rules`] before a service.
#[derive(Clone)]
pub(crate) struct Ruled<S> {
    pub(crate) inner: S,
    pub(crate) rules: Arc<Rules>,
}

impl<S, B> Service<HttpRequest<B>> for Ruled<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Either<S::Future, std::future::Ready<Result<HttpResponse, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        match self.rules.refusal(&request) {
            None => Either::Left(self.inner.call(request)),
            Some(page) => Either::Right(std::future::ready(Ok(page.response(false)))),
        }
    }
}
