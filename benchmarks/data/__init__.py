"""The data sets: real ones from the folder in LINCLF_DATA, otherwise generated ones labelled as such."""
