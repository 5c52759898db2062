"""The data sets: real ones from the folder in LINCLF_DATA, else generated ones that say so."""
