//! A request that another site posts: the same request again, by GET.
//!
//! A form from another site comes without our cookies, which are `SameSite=Lax`. Sent back to itself with a GET, the
//! browser brings them along; there is only one way in.

use actix_web::{HttpRequest, HttpResponse, http::header};
use web::{
    form::{Form, FormError},
    front_door::MAX_ADDRESS,
    problem::Problem,
};

/// Sends the browser to `endpoint` with everything that the query and the form of `request` hold.
pub fn by_get(
    endpoint: &str,
    request: &HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, Problem> {
    let params = form?.behind_query(request.query_string())?;
    let location = format!("{endpoint}?{}", params.encode());
    if location.len() > MAX_ADDRESS {
        return Err(Problem::too_large());
    }
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish())
}
