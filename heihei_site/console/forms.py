from django.forms import CharField, Form
from unfold.widgets import UnfoldAdminTextInputWidget

from heihei_site.console.models import WORDS


class ReasonForm(Form):
    reason = CharField(
        label="原因", max_length=WORDS, widget=UnfoldAdminTextInputWidget, help_text="会和您的名字一起记录"
    )
