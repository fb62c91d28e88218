"""Routes for the carrier, below ``/phone/``."""

from django.urls import path

from phone import callbacks

urlpatterns = [
    path("<str:secret>/ussd", callbacks.ussd, name="phone-ussd"),
    path("<str:secret>/sms/inbound", callbacks.sms_inbound, name="phone-inbound"),
    path("<str:secret>/sms/delivery", callbacks.sms_delivery, name="phone-delivery"),
]
