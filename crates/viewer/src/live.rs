//! A flow as it goes on: server-sent events that say no more than that there is something new. The page then loads itself
//! again, so there is one way only in which a flow is shown.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path},
};
use futures_util::stream;
use shared::flow::Story;
use tokio::sync::watch;
use web::problem::Problem;

use crate::desk::{Desk, Whole};

/// How often the other server is asked for news, and how long the connection is silent at most.
const TICK: Duration = Duration::from_secs(1);
/// A comment keeps the connection open when nothing happens, and finds out that nobody listens any more.
const COMMENT_AFTER: u32 = 15;

/// How many listen at a time, at most.
const MOST: usize = 200;

/// Everybody who listens, to be told that the server is ending.
#[derive(Clone, Debug)]
pub struct Closing(Arc<watch::Sender<bool>>);

impl Default for Closing {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Closing {
    /// Ends every stream.
    pub fn close(&self) {
        self.0.send_replace(true);
    }
}

struct Listener<D> {
    desk: Data<D>,
    request: HttpRequest,
    id: String,
    changes: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    /// How many events were there when the page was told the last time: all, and this server's own.
    told: usize,
    own: usize,
    silent: u32,
    is_over: bool,
}

/// `GET /flows/{id}/live`
pub(crate) async fn live<D: Desk>(
    request: HttpRequest,
    id: Path<String>,
    desk: Data<D>,
    closing: Data<Closing>,
) -> Result<HttpResponse, Problem> {
    if closing.0.receiver_count() >= MOST {
        return Err(Problem::overloaded());
    }
    let known = Whole::find(&**desk, &request, &id).await?;
    let changes = desk.recorder().ok_or_else(Problem::not_found)?.changes();
    let listener = Listener {
        desk: desk.clone(),
        request,
        id: id.into_inner(),
        changes,
        closing: closing.0.subscribe(),
        told: known.events.len(),
        own: known.flow.events.len(),
        silent: 0,
        is_over: false,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let said = listener.next().await?;
        Some((Ok::<_, actix_web::Error>(Bytes::from(said)), listener))
    });
    Ok(HttpResponse::Ok().content_type("text/event-stream").streaming(events))
}

impl<D: Desk> Listener<D> {
    /// What is said next; `None` when there is nothing more to say.
    async fn next(&mut self) -> Option<&'static str> {
        while !self.is_over && !*self.closing.borrow() {
            let whole = Whole::find(&**self.desk, &self.request, &self.id).await.ok()?;
            let now = self.desk.recorder()?.now();
            if Story::tell(&whole.events, now, self.desk.patience()).is_over() {
                self.is_over = true;
                return Some("event: over\ndata:\n\n");
            }
            self.own = whole.flow.events.len();
            if std::mem::replace(&mut self.told, whole.events.len()) != whole.events.len() {
                self.silent = 0;
                return Some("event: changed\ndata:\n\n");
            }
            self.wait().await;
            if self.silent >= COMMENT_AFTER {
                self.silent = 0;
                return Some(":\n\n");
            }
        }
        None
    }

    /// Waits until something is recorded of this flow here, or for a moment.
    async fn wait(&mut self) {
        let pause = tokio::time::sleep(TICK);
        tokio::pin!(pause);
        loop {
            self.changes.mark_unchanged();
            if self.desk.recorder().and_then(|recorder| recorder.length(&self.id)) != Some(self.own) {
                return;
            }
            tokio::select! {
                _ = self.changes.changed() => {}
                _ = self.closing.changed() => return,
                () = &mut pause => {
                    self.silent += 1;
                    return;
                }
            }
        }
    }
}
