//! Opening a flow that was saved.

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::Data,
};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use web::{form::FormError, front_door::Site, pages::Kind, problem::Problem, server::PATIENCE};

use crate::{
    desk::{Desk, Sees},
    saved::{OpenError, Saved},
};

/// The largest file that is read, in bytes: a whole flow with both halves.
const MAX_FILE: usize = 4 * 1024 * 1024;

#[derive(Serialize)]
struct Page {
    /// What was wrong with the file that was sent, if one was.
    mistake: Option<&'static str>,
}

/// `GET /flows/open`
pub(crate) async fn ask<D: Desk>(
    request: HttpRequest,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    if desk.recorder().is_none() || desk.sees(&request) == Sees::Nothing {
        return Err(Problem::not_found());
    }
    form(&request, &site, StatusCode::OK, None)
}

/// `POST /flows/open`: the file becomes a flow of the list, with a mark.
pub(crate) async fn open<D: Desk>(
    request: HttpRequest,
    body: Multipart,
    desk: Data<D>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let recorder = desk.recorder().ok_or_else(Problem::not_found)?;
    let sees = desk.sees(&request);
    if sees == Sees::Nothing {
        return Err(Problem::not_found());
    }
    if !site.origin.is_sender_of(&request) {
        return Err(Problem::foreign_origin());
    }
    let page =
        tokio::time::timeout(PATIENCE, read(body)).await.map_err(|_| Problem::from(FormError::TooSlow))??;
    let saved = match Saved::parse(&String::from_utf8_lossy(&page)) {
        Ok(saved) => saved,
        Err(error) => {
            let mistake = match error {
                OpenError::NotSaved => "not_saved",
                OpenError::Unreadable(_) => "unreadable",
            };
            // What stands in the file is a stranger's, and stays out of the log.
            tracing::info!(mistake, "a file was not opened");
            return form(&request, &site, StatusCode::UNPROCESSABLE_ENTITY, Some(mistake));
        }
    };
    let (owner, cookie) = match sees {
        Sees::Own(None) => desk.new_visitor().unzip(),
        Sees::Own(owner) => (owner, None),
        Sees::Everything | Sees::Nothing => (None, None),
    };
    let id = recorder.adopt(saved, owner).ok_or_else(Problem::too_large)?;
    let location = format!("{}/flows/{id}", site.origin.path());
    let mut answer = HttpResponse::SeeOther();
    if let Some(cookie) = cookie {
        answer.cookie(cookie);
    }
    Ok(answer.insert_header((LOCATION, location)).finish())
}

async fn read(mut body: Multipart) -> Result<Vec<u8>, Problem> {
    let mut page = Vec::new();
    while let Some(mut field) = body.try_next().await.map_err(Problem::malformed)? {
        while let Some(chunk) = field.try_next().await.map_err(Problem::malformed)? {
            if page.len() + chunk.len() > MAX_FILE {
                return Err(Problem::too_large());
            }
            page.extend_from_slice(&chunk);
        }
    }
    Ok(page)
}

fn form(
    request: &HttpRequest,
    site: &Site,
    status: StatusCode,
    mistake: Option<&'static str>,
) -> Result<HttpResponse, Problem> {
    site.pages.respond(request, status, Kind::Form, "viewer/open.html", None, &Page { mistake })
}
