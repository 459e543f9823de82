//! A web site that belongs neither to the IdP nor to the RP.

use std::net::TcpListener;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    rt,
    web::{Data, to},
};

/// A server that answers every request in the same way.
pub struct Stranger {
    port: u16,
    server: ServerHandle,
}

enum Habit {
    Page(String),
    Redirect(String),
}

impl Stranger {
    /// It shows a page.
    pub fn that_shows(html: String) -> Self {
        Self::start(Habit::Page(html))
    }

    /// It shows a button that sends a form to somebody else.
    pub fn that_sends_a_form_to(address: &str) -> Self {
        Self::that_shows(format!(
            r#"<form method="post" action="{address}"><button>Win a prize</button></form>"#
        ))
    }

    /// It sends everybody on, query and all.
    pub fn that_redirects_to(address: String) -> Self {
        Self::start(Habit::Redirect(address))
    }

    /// Its address under one of this computer's names.
    pub fn at(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    fn start(habit: Habit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let habit = Data::new(habit);
        let server = HttpServer::new(move || App::new().app_data(habit.clone()).default_service(to(answer)))
            .workers(1)
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        rt::spawn(server);
        Self { port, server: handle }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // The future does its work when it is called; there is nobody left to wait for it.
        drop(self.server.stop(false));
    }
}

async fn answer(request: HttpRequest, habit: Data<Habit>) -> HttpResponse {
    match habit.as_ref() {
        Habit::Page(html) => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html.clone()),
        Habit::Redirect(address) => HttpResponse::SeeOther()
            .insert_header(("location", format!("{address}?{}", request.query_string())))
            .finish(),
    }
}
