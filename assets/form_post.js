// Sends the authorization response on to the application, as the button of the page would.
document.forms[0].submit();
